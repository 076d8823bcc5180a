#include "text/models/bpe_merge.h"

#include <gtest/gtest.h>

#include <random>

namespace cleave::text {
namespace {

using Ids = std::vector<int32_t>;

TEST(BpeMerge, TakesTheLowestRankThenTheLeftmost) {
  MergeTable merges;
  merges.insert(1, 1, {0, 2});  // aa
  merges.insert(2, 1, {1, 3});  // aaa
  for (const auto merge : {merge_by_scan, merge_by_rank}) {
    Ids ids = {1, 1, 1, 1, 1};
    merge(ids, merges);
    EXPECT_EQ(ids, (Ids{2, 3}));
    Ids none;
    merge(none, merges);
    EXPECT_TRUE(none.empty());
  }
}

// A merge may make a pair of a lower rank than its own, which then comes first.
TEST(BpeMerge, GoesBackToALowerRank) {
  MergeTable merges;
  merges.insert(1, 2, {5, 3});
  merges.insert(3, 1, {1, 4});
  for (const auto merge : {merge_by_scan, merge_by_rank}) {
    Ids ids = {1, 2, 1, 2, 1, 2};
    merge(ids, merges);
    EXPECT_EQ(ids, (Ids{4, 2, 3}));
  }
}

// Random merges, most of them in the order of training, some not.
TEST(BpeMerge, GivesTheSameByScanAndByRank) {
  std::mt19937 random(1);
  const auto below = [&](int limit) { return static_cast<int32_t>(random() % static_cast<unsigned>(limit)); };
  for (int round = 0; round < 500; ++round) {
    MergeTable merges;
    int32_t tokens = 3;
    for (int i = 0; i < 30; ++i) {
      const auto rank = static_cast<uint32_t>(round % 2 == 0 ? i : below(1000) * 32 + i);
      merges.insert(below(tokens), below(tokens), {rank, tokens});
      ++tokens;
    }
    Ids ids(static_cast<size_t>(below(400)));
    for (int32_t& id : ids) id = below(3);
    Ids by_rank = ids;
    merge_by_scan(ids, merges);
    merge_by_rank(by_rank, merges);
    ASSERT_EQ(ids, by_rank) << "round " << round;
  }
}

TEST(MergeTable, FindsWhatWasInsertedAndNothingElse) {
  MergeTable merges;
  for (int32_t i = 0; i < 1000; ++i) merges.insert(i, i * i, {static_cast<uint32_t>(i), i + 1});
  merges.insert(7, 49, {99, 5});
  for (int32_t i = 0; i < 1000; ++i) {
    const Merge* merge = merges.find(i, i * i);
    ASSERT_NE(merge, nullptr);
    EXPECT_EQ(merge->rank, i == 7 ? 99u : static_cast<uint32_t>(i));
    EXPECT_EQ(merges.find(i, i * i + 1), nullptr);
  }
}

}  // namespace
}  // namespace cleave::text
