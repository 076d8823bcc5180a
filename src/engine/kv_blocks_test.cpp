#include "engine/kv_blocks.h"

#include <gtest/gtest.h>

#include <set>

namespace cleave::engine {
namespace {

TEST(KvBlocks, GivesEachBlockToOneSequence) {
  KvBlocks blocks(5, 32);
  KvBlocks::Table a, b;
  ASSERT_TRUE(blocks.extend(a, 33));
  ASSERT_TRUE(blocks.extend(b, 96));
  EXPECT_EQ(a.size(), 2u);
  EXPECT_EQ(b.size(), 3u);
  EXPECT_EQ(blocks.num_free(), 0);
  std::set<int32_t> all(a.begin(), a.end());
  all.insert(b.begin(), b.end());
  EXPECT_EQ(all, (std::set<int32_t>{0, 1, 2, 3, 4}));
}

TEST(KvBlocks, TakesANewBlockOnlyWhereTheLastOneIsFull) {
  KvBlocks blocks(4, 3);
  KvBlocks::Table table;
  const std::vector<size_t> wanted = {1, 1, 1, 2, 2, 2, 3};
  for (int64_t length = 1; length <= 7; ++length) {
    ASSERT_TRUE(blocks.extend(table, length));
    EXPECT_EQ(table.size(), wanted[static_cast<size_t>(length - 1)]) << length;
  }
}

TEST(KvBlocks, ChangesNothingWhereTooFewAreFree) {
  KvBlocks blocks(3, 4);
  KvBlocks::Table a, b;
  ASSERT_TRUE(blocks.extend(a, 5));
  ASSERT_TRUE(blocks.extend(b, 4));
  EXPECT_FALSE(blocks.extend(b, 5));
  EXPECT_EQ(b.size(), 1u);
  EXPECT_TRUE(blocks.extend(b, 4)) << "what it holds already is enough";
}

TEST(KvBlocks, GivesReleasedBlocksAgain) {
  KvBlocks blocks(2, 4);
  KvBlocks::Table a, b;
  ASSERT_TRUE(blocks.extend(a, 8));
  blocks.release(a);
  EXPECT_TRUE(a.empty());
  EXPECT_EQ(blocks.num_free(), 2);
  EXPECT_TRUE(blocks.extend(b, 8));
  EXPECT_EQ(blocks.capacity(), 8);
}

}  // namespace
}  // namespace cleave::engine
