#include "graph/stored_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace cleave::graph {
namespace {

using ::testing::ElementsAre;

TEST(StoredName, OfOneTensorIsTheWeightsOwn) {
  EXPECT_EQ(stored_name({"model.norm.weight"}, 0), "model.norm.weight");
  EXPECT_THAT(stored_names({"model.norm.weight"}), ElementsAre("model.norm.weight"));
}

TEST(StoredName, OfStackedTensorsHasTheNumberInPlaceOfTheStar) {
  const WeightAttributes experts{"layers.0.experts.*.up", 3};
  EXPECT_EQ(stored_name(experts, 12), "layers.0.experts.12.up");
  EXPECT_THAT(stored_names(experts),
              ElementsAre("layers.0.experts.0.up", "layers.0.experts.1.up", "layers.0.experts.2.up"));
}

TEST(StoredName, StackedTensorsWithoutAStarAreAnError) {
  try {
    stored_name({"layers.0.up", 2}, 0);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
    EXPECT_STREQ(error.what(), "layers.0.up: stacked weights need a * in their name");
  }
}

}  // namespace
}  // namespace cleave::graph
