#include <gtest/gtest.h>

#include <algorithm>

#include "graph/graph.h"
#include "graph/stored_name.h"

namespace cleave::graph {
namespace {

bool is_sorted(const std::string& name) {
  return name == "q.weight.sorted" || name == "q.weight.order";
}

// Two products of one activation, of which the first has sorted columns that a function of it uses unsorted, too.
Graph build() {
  Graph graph;
  const NodeId x = graph.add(Op::Embedding, {graph.input(InputKind::TokenIds), graph.weight({"table"}, {9, 64})});
  const NodeId q = graph.weight({"q.weight"}, {64, 64});
  const NodeId turned = graph.add(Op::Transpose, {q}, TransposeAttributes{{1, 0}});
  const NodeId first = graph.add(Op::Matmul, {x, q}), again = graph.add(Op::Matmul, {x, q});
  const NodeId other = graph.add(Op::Matmul, {x, graph.weight({"k.weight"}, {64, 64})});
  const NodeId sum = graph.add(Op::Add, {graph.add(Op::Add, {first, again}), other});
  graph.add_output("decode", graph.add(Op::Matmul, {sum, turned}));
  return graph;
}

int64_t count(const Graph& graph, Op op) {
  return std::ranges::count_if(graph.nodes(), [&](const Node& node) { return node.op == op; });
}

TEST(SortColumns, ReplacesProductsOfSortedWeightsAndLeavesOtherUses) {
  const Graph sorted = sort_columns(build(), is_sorted);
  EXPECT_EQ(count(sorted, Op::GatherColumns), 1) << "one for both products";
  std::vector<std::string> multiplied;
  for (const Node& node : sorted.nodes())
    if (const Node* w = node.op == Op::Matmul ? &sorted.node(node.inputs[1]) : nullptr; w != nullptr)
      multiplied.push_back(w->op == Op::Weight ? stored_name(w->as<WeightAttributes>(), 0)
                                               : stored_name(sorted.node(w->inputs[0]).as<WeightAttributes>(), 0));
  EXPECT_EQ(multiplied, (std::vector<std::string>{"q.weight.sorted", "q.weight.sorted", "k.weight", "q.weight"}));
  EXPECT_EQ(sorted.shape(sorted.output("decode")), (Shape{kDynamic, 64}));
}

TEST(SortColumns, LeavesAGraphWithoutThemAsItIs) {
  const Graph graph = build();
  EXPECT_EQ(text(sort_columns(graph, [](const std::string&) { return false; })), text(graph));
}

}  // namespace
}  // namespace cleave::graph
