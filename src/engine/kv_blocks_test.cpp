#include "engine/kv_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "base/error.h"

namespace cleave::engine {
namespace {

using ::testing::HasSubstr;

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

TEST(KvBlocks, ASharedBlockIsFreeWhenTheLastTableLetsGo) {
  KvBlocks blocks(4, 8);
  KvBlocks::Table first, second, third;
  ASSERT_TRUE(blocks.extend(first, 24));
  blocks.share(second, std::span(first).first(2));
  blocks.share(third, std::span(first).first(1));
  EXPECT_EQ(second, (KvBlocks::Table{first[0], first[1]}));
  EXPECT_EQ(blocks.num_free(), 1) << "sharing takes none";
  EXPECT_EQ(blocks.num_holders(first[0]), 3);
  EXPECT_EQ(blocks.num_holders(first[1]), 2);
  EXPECT_EQ(blocks.num_holders(first[2]), 1);
  blocks.release(first);
  EXPECT_EQ(blocks.num_free(), 2) << "the block that nobody shared";
  blocks.release(second);
  EXPECT_EQ(blocks.num_free(), 3);
  EXPECT_EQ(blocks.num_holders(third[0]), 1);
  blocks.release(third);
  EXPECT_EQ(blocks.num_free(), 4);
}

TEST(KvBlocks, ASequenceGrowsBehindSharedBlocksByBlocksOfItsOwn) {
  KvBlocks blocks(5, 4);
  KvBlocks::Table first, second;
  ASSERT_TRUE(blocks.extend(first, 10));
  blocks.share(second, std::span(first).first(2));
  ASSERT_TRUE(blocks.extend(second, 8)) << "what it shares is enough";
  EXPECT_EQ(second.size(), 2u);
  ASSERT_TRUE(blocks.extend(second, 13));
  ASSERT_EQ(second.size(), 4u);
  EXPECT_EQ(std::set<int32_t>(first.begin(), first.end()).count(second[2]), 0u);
  EXPECT_EQ(blocks.num_holders(second[2]), 1);
  EXPECT_EQ(blocks.num_free(), 0);
  EXPECT_FALSE(blocks.extend(first, 13)) << "shared blocks count once, and all are taken";
}

TEST(KvBlocks, OnlyPositionsInBlocksOfItsOwnCanBeWritten) {
  KvBlocks blocks(5, 4);
  KvBlocks::Table first, second;
  ASSERT_TRUE(blocks.extend(first, 10));
  EXPECT_TRUE(blocks.can_write(first, 0, 12));
  EXPECT_FALSE(blocks.can_write(first, 10, 13)) << "not covered";
  blocks.share(second, std::span(first).first(2));
  ASSERT_TRUE(blocks.extend(second, 9));
  for (const KvBlocks::Table* table : {&first, &second}) {
    EXPECT_TRUE(blocks.can_write(*table, 8, 12));
    EXPECT_FALSE(blocks.can_write(*table, 7, 9)) << "the second block is shared";
    EXPECT_FALSE(blocks.can_write(*table, 0, 1));
  }
  blocks.release(second);
  EXPECT_TRUE(blocks.can_write(first, 0, 12)) << "nobody else holds them any more";
}

constexpr PrefixKey kFirst = {1, 1}, kSecond = {2, 2}, kThird = {3, 3};

TEST(KvBlocks, ABlockWithANameIsFoundWhileItIsFreeAndIsNotWritten) {
  KvBlocks blocks(4, 4);
  KvBlocks::Table first, second;
  ASSERT_TRUE(blocks.extend(first, 8));
  blocks.name(first[0], kFirst);
  EXPECT_FALSE(blocks.can_write(first, 0, 4));
  EXPECT_TRUE(blocks.can_write(first, 4, 8));
  const int32_t named = first[0];
  blocks.release(first);
  EXPECT_EQ(blocks.num_free(), 4);
  EXPECT_EQ(blocks.find(kFirst), named);
  EXPECT_EQ(blocks.find(kSecond), std::nullopt);
  blocks.share(second, std::vector{named});
  EXPECT_EQ(blocks.num_free(), 3);
  EXPECT_EQ(blocks.num_holders(named), 1);
  ASSERT_TRUE(blocks.extend(second, 16));
  EXPECT_EQ(blocks.find(kFirst), named) << "held";
  blocks.check(std::vector<const KvBlocks::Table*>{&second});
}

TEST(KvBlocks, GivesUpTheBlocksThatAreFreeForLongestAndOfATextItsEndFirst) {
  KvBlocks blocks(5, 4);
  KvBlocks::Table first, second, taken;
  ASSERT_TRUE(blocks.extend(first, 8));
  ASSERT_TRUE(blocks.extend(second, 4));
  blocks.name(first[0], kFirst);
  blocks.name(first[1], kSecond);
  blocks.name(second[0], kThird);
  blocks.release(first);
  blocks.release(second);
  const auto left = [&] {
    return std::vector{blocks.find(kFirst).has_value(), blocks.find(kSecond).has_value(),
                       blocks.find(kThird).has_value()};
  };
  ASSERT_TRUE(blocks.extend(taken, 8));
  EXPECT_EQ(left(), (std::vector{true, true, true})) << "blocks without a name come first";
  ASSERT_TRUE(blocks.extend(taken, 12));
  EXPECT_EQ(left(), (std::vector{true, false, true}));
  ASSERT_TRUE(blocks.extend(taken, 16));
  EXPECT_EQ(left(), (std::vector{false, false, true}));
  EXPECT_EQ(blocks.num_named(), 1);
  blocks.check(std::vector<const KvBlocks::Table*>{&taken});
}

TEST(KvBlocks, UsingABlockAgainKeepsItLonger) {
  KvBlocks blocks(2, 4);
  KvBlocks::Table first, second, taken;
  ASSERT_TRUE(blocks.extend(first, 4));
  blocks.name(first[0], kFirst);
  ASSERT_TRUE(blocks.extend(second, 4));
  blocks.name(second[0], kSecond);
  blocks.release(first);
  blocks.release(second);
  blocks.share(first, std::vector{*blocks.find(kFirst)});
  blocks.release(first);
  ASSERT_TRUE(blocks.extend(taken, 4));
  EXPECT_TRUE(blocks.find(kFirst));
  EXPECT_FALSE(blocks.find(kSecond));
}

TEST(KvBlocks, ANameIsOfOneBlockAndCanBeTakenAway) {
  KvBlocks blocks(3, 4);
  KvBlocks::Table table;
  ASSERT_TRUE(blocks.extend(table, 8));
  blocks.name(table[0], kFirst);
  blocks.name(table[1], kFirst);
  blocks.name(table[0], kSecond);
  EXPECT_EQ(blocks.find(kFirst), table[0]);
  EXPECT_EQ(blocks.find(kSecond), std::nullopt);
  blocks.forget(kFirst);
  blocks.forget(kThird);  // nobody's: nothing happens
  EXPECT_EQ(blocks.find(kFirst), std::nullopt);
  EXPECT_TRUE(blocks.can_write(table, 0, 4));
  blocks.check(std::vector<const KvBlocks::Table*>{&table});
}

std::string error_of(const std::function<void()>& misuse) {
  try {
    misuse();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Internal);
    return error.what();
  }
  return "no error";
}

TEST(KvBlocks, MisuseIsABugOfOurs) {
  KvBlocks blocks(3, 4);
  KvBlocks::Table table, other;
  ASSERT_TRUE(blocks.extend(table, 8));
  const std::vector<int32_t> is_free = {2}, is_none = {3}, is_negative = {-1}, second_is_free = {table[0], 2};
  EXPECT_THAT(error_of([&] { blocks.share(other, is_free); }), HasSubstr("num_holders(block) >= 1"));
  EXPECT_THAT(error_of([&] { blocks.share(other, second_is_free); }), HasSubstr("num_holders(block) >= 1"));
  EXPECT_THAT(error_of([&] { blocks.share(other, is_none); }), HasSubstr("saw 3 and 3"));
  EXPECT_THAT(error_of([&] { blocks.share(other, is_negative); }), HasSubstr("saw -1 and 0"));
  EXPECT_TRUE(other.empty());
  EXPECT_EQ(blocks.num_holders(table[0]), 1) << "a refused call changes nothing";
  KvBlocks::Table copy = table;
  blocks.release(table);
  EXPECT_THAT(error_of([&] { blocks.release(copy); }), HasSubstr("num_holders(block) >= 1")) << "released twice";
  EXPECT_EQ(blocks.num_free(), 3);
  EXPECT_THAT(error_of([&] { blocks.name(0, {1, 1}); }), HasSubstr("num_holders(block) >= 1"));
  ASSERT_TRUE(blocks.extend(table, 4));
  EXPECT_THAT(error_of([&] { blocks.check({}); }), HasSubstr("held == holders_")) << "a table is missing";
  EXPECT_THAT(error_of([] { KvBlocks(-1, 4); }), HasSubstr("num_blocks"));
  EXPECT_THAT(error_of([] { KvBlocks(1, 0); }), HasSubstr("block_size"));
}

}  // namespace
}  // namespace cleave::engine
