#include "engine/prefix_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

namespace cleave::engine {
namespace {

TEST(SipHash, GivesTheResultsOfItsAuthors) {
  // vectors.h of the reference implementation, vectors_sip128: key and text are 00 01 02 ...
  std::vector<std::byte> bytes(16);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  std::array<uint64_t, 2> key{};
  std::memcpy(key.data(), bytes.data(), 16);
  const auto hash_of = [&](size_t length) {
    const PrefixKey hash = sip_hash(std::span(bytes).first(length), key);
    std::vector<int> result(16);
    const std::span<const std::byte> view = std::as_bytes(std::span(hash));
    std::ranges::transform(view, result.begin(), [](std::byte byte) { return std::to_integer<int>(byte); });
    return result;
  };
  EXPECT_EQ(hash_of(0), (std::vector<int>{0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7,
                                          0x55, 0x02, 0x93}));
  EXPECT_EQ(hash_of(1), (std::vector<int>{0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b,
                                          0x22, 0xfc, 0x45}));
}

TEST(PrefixHasher, MakesKeysOfAllThatABlockDependsOn) {
  const PrefixHasher hasher;
  const PrefixKey root = hasher.root(""), other = hasher.root("salt");
  const std::vector<int32_t> tokens = {1, 2, 3}, more = {1, 2, 4};
  const std::set<PrefixKey> keys = {root,
                                    other,
                                    hasher.next(root, tokens, {0, 0}),
                                    hasher.next(other, tokens, {0, 0}),
                                    hasher.next(root, more, {0, 0}),
                                    hasher.next(root, tokens, {0, 1}),
                                    hasher.next(root, tokens, {1, 1}),
                                    hasher.next(hasher.next(root, tokens, {0, 0}), tokens, {0, 0})};
  EXPECT_EQ(keys.size(), 8u);
  EXPECT_EQ(hasher.next(root, tokens, {0, 0}), hasher.next(root, tokens, {0, 0}));
}

TEST(PrefixHasher, HasAKeyOfItsOwn) {
  EXPECT_NE(PrefixHasher().root(""), PrefixHasher().root(""));
}

}  // namespace
}  // namespace cleave::engine
