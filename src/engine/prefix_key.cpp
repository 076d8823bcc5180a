#include "engine/prefix_key.h"

#include <bit>
#include <cstring>
#include <random>

namespace cleave::engine {
namespace {

/// The four words that SipHash turns.
struct State {
  uint64_t v0, v1, v2, v3;

  void turn(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
  }
  void take(uint64_t word) {
    v3 ^= word;
    turn(2);
    v0 ^= word;
  }
  uint64_t sum() const { return v0 ^ v1 ^ v2 ^ v3; }
};

// Words of a text, the lowest byte first; the last one holds its length in the highest byte.
void take_text(State& state, std::span<const std::byte> text) {
  static_assert(std::endian::native == std::endian::little);
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + at, 8);
    state.take(word);
  }
  uint64_t last = static_cast<uint64_t>(text.size()) << 56;
  for (size_t i = 0; at + i < text.size(); ++i) last |= std::to_integer<uint64_t>(text[at + i]) << 8 * i;
  state.take(last);
}

}  // namespace

PrefixKey sip_hash(std::span<const std::byte> text, const std::array<uint64_t, 2>& key) {
  State state{key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d ^ 0xee, key[0] ^ 0x6c7967656e657261,
              key[1] ^ 0x7465646279746573};
  take_text(state, text);
  state.v2 ^= 0xee;
  state.turn(4);
  const uint64_t first = state.sum();
  state.v1 ^= 0xdd;
  state.turn(4);
  return {first, state.sum()};
}

PrefixHasher::PrefixHasher() {
  std::random_device random;
  for (uint64_t& word : key_) word = uint64_t{random()} << 32 | random();
}

PrefixKey PrefixHasher::root(std::string_view salt) const {
  return sip_hash(std::as_bytes(std::span(salt)), key_);
}

PrefixKey PrefixHasher::next(const PrefixKey& before, std::span<const int32_t> tokens,
                             std::array<int64_t, 2> turned) const {
  const std::array<uint64_t, 4> own = {before[0], before[1], static_cast<uint64_t>(turned[0]),
                                       static_cast<uint64_t>(turned[1])};
  const PrefixKey text = sip_hash(std::as_bytes(tokens), key_);
  const std::array<uint64_t, 6> all = {own[0], own[1], own[2], own[3], text[0], text[1]};
  return sip_hash(std::as_bytes(std::span(all)), key_);
}

}  // namespace cleave::engine
