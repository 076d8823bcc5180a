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

TEST(Strings, StarsStandForNumbersBetweenDots) {
  EXPECT_EQ(stars_for_numbers("model.layers.12.experts.0.w1"), "model.layers.*.experts.*.w1");
  EXPECT_EQ(stars_for_numbers("h.0"), "h.*");
  EXPECT_EQ(stars_for_numbers("0"), "*");
  EXPECT_EQ(stars_for_numbers("layer1.2a.-3..x"), "layer1.2a.-3..x");
  EXPECT_EQ(stars_for_numbers(""), "");
}

TEST(Strings, BytesAreFormattedForPeople) {
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1500), "1.5 KB");
  EXPECT_EQ(format_bytes(98.4e6), "98.4 MB");
}

}  // namespace
}  // namespace cleave
