#include "graph/tables.h"

#include <gtest/gtest.h>

namespace cleave::graph {
namespace {

NodeId look_up(Graph& graph, InputKind kind, const std::string& table, int64_t rows) {
  return graph.add(Op::Embedding, {graph.input(kind), graph.weight({table}, {rows, 8})});
}

TEST(FewestRows, AreThoseOfTheOutputsOwnTables) {
  Graph graph;
  const NodeId tokens = look_up(graph, InputKind::TokenIds, "tokens", 131);
  const NodeId far = look_up(graph, InputKind::Positions, "far", 64);
  const NodeId near = look_up(graph, InputKind::Positions, "near", 32);
  graph.add_output("reads", graph.add(Op::Add, {tokens, far}));
  graph.add_output("writes", graph.add(Op::Add, {graph.add(Op::Add, {tokens, near}), far}));
  EXPECT_EQ(fewest_rows(graph, graph.outputs()[0], InputKind::Positions), 64);
  EXPECT_EQ(fewest_rows(graph, graph.outputs()[1], InputKind::Positions), 32);
  EXPECT_EQ(fewest_rows(graph, graph.outputs()[0], InputKind::TokenIds), 131);
  EXPECT_FALSE(fewest_rows(graph, graph.outputs()[0], InputKind::TokenTypes));
}

}  // namespace
}  // namespace cleave::graph
