#include "engine/key_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "base/error.h"

namespace cleave::engine {
namespace {

TEST(KeyTable, FindsWhatIsThereWhateverCollides) {
  // Few different first words, so that most keys want the same places, at the end of the table among others.
  std::mt19937 random(1);
  std::map<PrefixKey, int32_t> wanted;
  KeyTable table(40);
  for (int32_t i = 0; i < 4000; ++i) {
    const PrefixKey key = {random() % 2 == 0 ? 126 + random() % 4 : random() % 3, random() % 16};
    if (wanted.contains(key)) {
      table.erase(key);
      wanted.erase(key);
    } else if (wanted.size() < 40) {
      table.insert(key, i);
      wanted[key] = i;
    }
    ASSERT_EQ(table.size(), static_cast<int64_t>(wanted.size()));
    for (const auto& [there, number] : wanted) ASSERT_EQ(table.find(there), number);
    if (!wanted.contains(key)) {
      ASSERT_EQ(table.find(key), std::nullopt);
    }
  }
}

TEST(KeyTable, MisuseIsABugOfOurs) {
  KeyTable table(1);
  EXPECT_THROW(table.erase({1, 2}), Error);
  table.insert({1, 2}, 0);
  EXPECT_THROW(table.insert({3, 4}, 1), Error);
}

TEST(KeyTable, OfNoEntriesFindsNothing) {
  EXPECT_EQ(KeyTable(0).find({1, 2}), std::nullopt);
}

}  // namespace
}  // namespace cleave::engine
