#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/graph.h"

namespace cleave::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Hidden states and their logits: outputs "encode" and "decode", which have all but the head in common.
Graph two_outputs() {
  Graph graph;
  const NodeId x =
      graph.add(Op::Embedding, {graph.input(InputKind::TokenIds), graph.weight({"embed.weight"}, {131, 48})});
  const NodeId y = graph.add(Op::Scale, {x}, ScaleAttributes{2});
  graph.add_output("encode", y);
  graph.add_output("decode", graph.add(Op::Matmul, {y, graph.weight({"head.weight"}, {131, 48})}, {}, "head"));
  return graph;
}

std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Output& output : graph.outputs()) names.push_back(output.name);
  return names;
}

template <class F>
std::string message_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Outputs, AreFoundByNameAndKeepTheirOrder) {
  const Graph graph = two_outputs();
  EXPECT_THAT(output_names(graph), ElementsAre("encode", "decode"));
  EXPECT_EQ(graph.output("decode"), graph.outputs()[1].node);
  EXPECT_THAT(message_of([&] { graph.output("embed"); }), HasSubstr("no output 'embed', but encode, decode"));
}

TEST(Outputs, OfOneNameAreABrokenGraph) {
  Graph graph = two_outputs();
  EXPECT_NO_THROW(verify(graph));
  graph.add_output("encode", graph.output("decode"));
  EXPECT_THAT(message_of([&] { verify(graph); }), HasSubstr("output encode is there twice"));
}

TEST(Outputs, NeedTheNodesBeforeThemAlone) {
  const Graph graph = two_outputs();
  const std::vector<bool> encode = needed_for(graph, graph.outputs()[0]);
  EXPECT_EQ(std::ranges::count(encode, true), 4);
  EXPECT_FALSE(encode[static_cast<size_t>(graph.output("decode"))]);
  EXPECT_EQ(std::ranges::count(needed_for(graph, graph.outputs()[1]), false), 0);
}

TEST(Outputs, StandInTheTextAllOrAlone) {
  const Graph graph = two_outputs();
  EXPECT_THAT(text(graph), testing::StartsWith("graph encode, decode\n"));
  EXPECT_THAT(text(graph), testing::EndsWith("output %3\noutput %5\n"));
  EXPECT_EQ(text(graph, "encode"),
            "graph encode\n"
            "%0 = input() token_ids : [tokens]\n"
            "%1 = weight() embed.weight : [131, 48]\n"
            "%2 = embedding(%0, %1) : [tokens, 48]\n"
            "%3 = scale(%2) factor=2 : [tokens, 48]\n"
            "output %3\n");
}

TEST(PushSlices, KeepsOutputsAndTheirOrder) {
  EXPECT_THAT(output_names(push_slices_into_weights(two_outputs())), ElementsAre("encode", "decode"));
}

// Halves of one projection, `times` times.
Graph halves(int times) {
  Graph graph;
  NodeId x = graph.add(Op::Embedding, {graph.input(InputKind::TokenIds), graph.weight({"embed.weight"}, {131, 48})});
  const NodeId w = graph.weight({"fused.weight"}, {96, 48}), b = graph.weight({"fused.bias"}, {96});
  for (int i = 0; i < times; ++i) {
    const NodeId y = graph.add(Op::Add, {graph.add(Op::Matmul, {x, w}, {}, "fused"), b});
    const NodeId first = graph.add(Op::Slice, {y}, SliceAttributes{1, 0, 48});
    x = graph.add(Op::Add, {first, graph.add(Op::Slice, {y}, SliceAttributes{1, 48, 96})});
  }
  graph.add_output("decode", x);
  return push_slices_into_weights(graph);
}

int64_t count_of(const Graph& graph, Op op) {
  return std::ranges::count(graph.nodes(), op, &Node::op);
}

TEST(PushSlices, MakesOneNodeOfEqualFunctionsOfWeights) {
  EXPECT_EQ(count_of(halves(1), Op::Slice), 4);  // of weight and bias, two each
  EXPECT_EQ(count_of(halves(5), Op::Slice), 4);
  EXPECT_EQ(count_of(halves(5), Op::Matmul), 10);
}

}  // namespace
}  // namespace cleave::graph
