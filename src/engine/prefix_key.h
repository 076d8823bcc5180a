#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cleave::engine {

/// The name of what a block holds: of all tokens up to its end, and of all else that its numbers depend on.
using PrefixKey = std::array<uint64_t, 2>;

/// SipHash-2-4 with 128 bits of result (Aumasson and Bernstein, 2012). Nobody who does not know the key can make two
/// texts that collide.
PrefixKey sip_hash(std::span<const std::byte> text, const std::array<uint64_t, 2>& key);

/// Makes keys of prefixes, each from the one of the block before. Immutable.
class PrefixHasher {
 public:
  /// With a key that this object alone has.
  PrefixHasher();

  /// What the first block's key is made from: requests with different salts share nothing.
  PrefixKey root(std::string_view salt) const;
  /// The key of a full block, from that of the block before and its tokens. `turned` names how its keys are turned by
  /// position, where that depends on the sequence's length: at its first token and at its last.
  PrefixKey next(const PrefixKey& before, std::span<const int32_t> tokens, std::array<int64_t, 2> turned) const;

 private:
  std::array<uint64_t, 2> key_;
};

}  // namespace cleave::engine
