#include "base/strings.h"

#include <gtest/gtest.h>

namespace cleave {
namespace {

TEST(Strings, SplitKeepsEmptyPieces) {
  EXPECT_EQ(split("a..b", '.'), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split("", '.'), (std::vector<std::string>{""}));
}

TEST(Strings, EditDistanceCountsInsertionsDeletionsAndSubstitutions) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), size_t{3});
  EXPECT_EQ(edit_distance("", "abc"), size_t{3});
  EXPECT_EQ(edit_distance("same", "same"), size_t{0});
}

TEST(Strings, NearestNamesAreSortedAndNeverFar) {
  const std::vector<std::string> names = {"q_proj", "k_proj", "gate", "up_proj"};
  EXPECT_EQ(nearest_names("q_prj", names), (std::vector<std::string>{"q_proj", "k_proj", "up_proj"}));
  EXPECT_TRUE(nearest_names("embedding", names).empty());
}

TEST(Strings, BytesAreFormattedForPeople) {
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1500), "1.5 KB");
  EXPECT_EQ(format_bytes(98.4e6), "98.4 MB");
}

}  // namespace
}  // namespace cleave
