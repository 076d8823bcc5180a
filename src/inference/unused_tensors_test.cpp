#include "inference/unused_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cleave::inference {
namespace {

TEST(UnusedTensors, AreOneEntryWhereOnlyNumbersDifferAndExpertsCountAsUsed) {
  TensorTable tensors;
  for (const char* name :
       {"model.w", "model.experts.0.w", "model.experts.1.w", "layers.0.inv_freq", "layers.1.inv_freq", "vision.1.w"})
    tensors[name] = {DType::F32, {0}};
  graph::Graph graph;
  graph.weight({"model.w"}, {0});
  graph.weight({"model.experts.*.w", 2}, {2, 0});
  EXPECT_THAT(unused_tensors(tensors, graph), testing::ElementsAre("layers.*.inv_freq (2)", "vision.1.w"));
}

}  // namespace
}  // namespace cleave::inference
