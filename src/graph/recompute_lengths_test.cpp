#include "graph/recompute_lengths.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cleave::graph {
namespace {

using ::testing::ElementsAre;

void add_rope(Graph& graph, int64_t original_length, bool recomputed) {
  RopeAttributes rope;
  rope.inverse_frequencies = rope.long_inverse_frequencies = {1};
  rope.length_rule = RopeAttributes::LengthRule::Switch;
  rope.original_length = original_length;
  rope.recomputed = recomputed;
  const NodeId table = graph.weight({fmt::format("w{}", graph.nodes().size())}, {5, 2});
  const NodeId row = graph.add(Op::Embedding, {graph.input(InputKind::TokenIds), table});
  const NodeId x = graph.add(Op::Reshape, {row}, ReshapeAttributes{{kDynamic, 1, 2}});
  graph.add(Op::Rope, {x, graph.input(InputKind::Positions)}, rope);
}

TEST(RecomputeLengths, AreThoseOfRopesThatWantItEachOnceAndAscending) {
  Graph graph;
  add_rope(graph, 30, true);
  add_rope(graph, 20, false);
  add_rope(graph, 10, true);
  add_rope(graph, 30, true);
  EXPECT_THAT(recompute_lengths(graph), ElementsAre(10, 30));
  EXPECT_THAT(recompute_lengths(Graph()), ElementsAre());
}

TEST(RecomputeLengths, ArePassedByTheTokenBehindThem) {
  EXPECT_FALSE(passes_any({10, 30}, 9, 10));
  EXPECT_TRUE(passes_any({10, 30}, 10, 11));
  EXPECT_FALSE(passes_any({10, 30}, 11, 30));
  EXPECT_TRUE(passes_any({10, 30}, 1, 40));
  EXPECT_FALSE(passes_any({10, 30}, 40, 1));
  EXPECT_FALSE(passes_any({}, 1, 40));
}

}  // namespace
}  // namespace cleave::graph
