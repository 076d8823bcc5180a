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

TEST(ForgottenTensors, AreToldInOneLineUnlessTheyDoNotMatter) {
  TensorTable tensors;
  for (const char* name :
       {"model.w", "model.layers.0.self_attn.rotary_emb.inv_freq", "model.layers.2.mlp.up_proj.weight",
        "lm_head.weight", "mtp.fc.weight", "model.vision_tower.layers.0.w", "visual.blocks.1.w", "h.0.attn.bias",
        "h.0.self_attn.key_decay", "model.layers.1.k_scale", "multi_modal_projector.linear.weight"})
    tensors[name] = {DType::F32, {0}};
  graph::Graph graph;
  graph.weight({"model.w"}, {0});
  EXPECT_EQ(forgotten_tensors_warning(tensors, graph, 2), std::nullopt);
  for (const char* name :
       {"model.layers.0.mlp.shared_expert.up_proj.weight", "model.layers.1.mlp.shared_expert.up_proj.weight"})
    tensors[name] = {DType::F32, {0}};
  EXPECT_THAT(*forgotten_tensors_warning(tensors, graph, 2),
              testing::EndsWith("does not use: model.layers.*.mlp.shared_expert.up_proj.weight (2)"));
  for (const char* name : {"a", "b", "c", "d", "e"}) tensors[name] = {DType::F32, {0}};
  EXPECT_THAT(*forgotten_tensors_warning(tensors, graph, 2),
              testing::EndsWith("a, b, c, d and 2 kinds more (--verbose)"));
}

TEST(ForgottenTensors, AreHeadsOfTasksUnlessTheModelIsAnEncoder) {
  TensorTable tensors;
  for (const char* name : {"model.w", "pooler.dense.weight", "cls.predictions.bias"}) tensors[name] = {DType::F32, {0}};
  graph::Graph graph;
  const graph::NodeId w = graph.weight({"model.w"}, {0});
  EXPECT_THAT(*forgotten_tensors_warning(tensors, graph, 2), testing::HasSubstr("cls.predictions.bias, pooler"));
  graph.add_output("encode", w);
  EXPECT_EQ(forgotten_tensors_warning(tensors, graph, 2), std::nullopt);
}

}  // namespace
}  // namespace cleave::inference
