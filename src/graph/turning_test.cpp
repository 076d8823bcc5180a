#include "graph/turning.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace cleave::graph {
namespace {

using LengthRule = RopeAttributes::LengthRule;

void add_rope(Graph& graph, LengthRule rule, int64_t original_length) {
  RopeAttributes rope;
  rope.inverse_frequencies = rope.long_inverse_frequencies = {1};
  rope.length_rule = rule;
  rope.original_length = original_length;
  rope.base = 10;
  const NodeId table = graph.weight({fmt::format("w{}", graph.nodes().size())}, {5, 2});
  const NodeId row = graph.add(Op::Embedding, {graph.input(InputKind::TokenIds), table});
  const NodeId x = graph.add(Op::Reshape, {row}, ReshapeAttributes{{kDynamic, 1, 2}});
  graph.add(Op::Rope, {x, graph.input(InputKind::Positions)}, rope);
}

TEST(Turning, OfAModelWithoutALengthRuleIsAlwaysTheSame) {
  Graph graph;
  add_rope(graph, LengthRule::None, 0);
  EXPECT_EQ(turning(graph).of(1), turning(graph).of(1000000));
}

TEST(Turning, ChangesWhereALengthIsPassed) {
  Graph graph;
  add_rope(graph, LengthRule::Switch, 30);
  add_rope(graph, LengthRule::Switch, 10);
  const Turning found = turning(graph);
  EXPECT_EQ(found.of(1), found.of(10));
  EXPECT_NE(found.of(10), found.of(11));
  EXPECT_EQ(found.of(11), found.of(30));
  EXPECT_NE(found.of(30), found.of(31));
  EXPECT_NE(found.of(10), found.of(31));
}

TEST(Turning, IsAnotherForEveryLengthBeyondThatOfADynamicRule) {
  Graph graph;
  add_rope(graph, LengthRule::Dynamic, 20);
  add_rope(graph, LengthRule::Switch, 10);
  const Turning found = turning(graph);
  EXPECT_EQ(found.of(11), found.of(20));
  EXPECT_NE(found.of(20), found.of(21));
  EXPECT_NE(found.of(21), found.of(22));
}

}  // namespace
}  // namespace cleave::graph
