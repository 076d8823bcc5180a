#include "base/hash.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace cleave {
namespace {

uint64_t hash_of(std::initializer_list<int64_t> numbers) {
  Hash hash;
  for (const int64_t number : numbers) hash.add(number);
  return hash.value();
}

TEST(Hash, OfBytesIsFnv1a) {
  EXPECT_EQ(hash_of({}), 0xcbf29ce484222325u);
  EXPECT_EQ(hash_of({'a'}), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(hash_of({'f', 'o', 'o', 'b', 'a', 'r'}), 0x85944171f73967e8u);
}

TEST(Hash, DependsOnOrderAndSign) {
  EXPECT_NE(hash_of({1, 2}), hash_of({2, 1}));
  EXPECT_NE(hash_of({-1}), hash_of({1}));
  EXPECT_NE(hash_of({0}), hash_of({0, 0}));
}

}  // namespace
}  // namespace cleave
