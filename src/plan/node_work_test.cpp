#include "plan/node_work.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/plan.h"
#include "plan/testing/graphs.h"

namespace cleave::plan {
namespace {

using graph::Graph;
using graph::NodeId;
using graph::Op;
using testing::ElementsAre;

Plan split(const Graph& graph, int ranks) {
  PlanOptions options;
  options.rank_weights.assign(static_cast<size_t>(ranks), 1.0);
  options.policy = Policy::Split;
  return make_plan(graph, options);
}

NodeId first_of(const Graph& graph, Op op) {
  const auto found = std::ranges::find(graph.nodes(), op, &graph::Node::op);
  return static_cast<NodeId>(found - graph.nodes().begin());
}

const NodeWork& work_of(const Plan& plan, NodeId id) {
  return plan.work[static_cast<size_t>(id)];
}

TEST(NodeWork, RanksBeyondTheHeadsHaveNoAttention) {
  const Graph graph = transformer({});
  const Plan plan = split(graph, 8);
  const std::vector<bool>& idle = work_of(plan, first_of(graph, Op::Attention)).idle;
  EXPECT_EQ(std::ranges::count(idle, false), 6);  // heads
  EXPECT_EQ(std::ranges::count(work_of(split(graph, 3), first_of(graph, Op::Attention)).idle, true), 0);
}

TEST(NodeWork, InputsAreSplitByTheAxisOfTheWorkWhereTheyHaveIt) {
  const Graph graph = transformer({});
  const Plan plan = split(graph, 2);
  for (const Module& module : plan.modules) {
    const NodeId node = module.nodes.front();
    const AxisId axis = plan.placed[node].strategy;
    if (module.treatment == Treatment::Column) {
      EXPECT_THAT(work_of(plan, node).inputs, ElementsAre(kNoAxis, axis)) << module.info.name;
    } else if (module.info.kind == ModuleInfo::Kind::Linear) {
      EXPECT_THAT(work_of(plan, node).inputs, ElementsAre(axis, axis)) << module.info.name;
    }
  }
}

// x -> up -> down + bias: columns, then rows whose sum is still owed where the bias is added.
TEST(NodeWork, AnOwedSumsBiasIsAddedOnce) {
  Graph graph;
  const NodeId x =
      graph.add(Op::Embedding, {graph.input(graph::InputKind::TokenIds), graph.weight({"embed.weight"}, {131, 48})});
  const NodeId up = graph.add(Op::Matmul, {x, graph.weight({"up.weight"}, {96, 48})}, {}, "up");
  const NodeId down = graph.add(Op::Matmul, {up, graph.weight({"down.weight"}, {48, 96})}, {}, "down");
  const NodeId biased = graph.add(Op::Add, {down, graph.weight({"down.bias"}, {48})});
  graph.add_output("decode", graph.add(Op::Add, {x, biased}));
  const Plan plan = split(graph, 3);
  ASSERT_TRUE(plan.placed[biased].result.partial);
  EXPECT_TRUE(work_of(plan, biased).added_once);
  EXPECT_FALSE(work_of(split(graph, 1), biased).added_once);
}

// A norm over columns that are split: where a user goes on with the part, its statistic is what all ranks have.
TEST(NodeWork, ANormOverASplitDimensionTakesAStatistic) {
  Graph graph;
  const NodeId x =
      graph.add(Op::Embedding, {graph.input(graph::InputKind::TokenIds), graph.weight({"embed.weight"}, {131, 48})});
  const NodeId up = graph.add(Op::Matmul, {x, graph.weight({"up.weight"}, {4096, 48})}, {}, "up");
  const NodeId norm = graph.add(Op::RmsNorm, {up, graph.weight({"norm"}, {4096})}, graph::NormAttributes{1e-5});
  graph.add_output("decode", graph.add(Op::Matmul, {norm, graph.weight({"down.weight"}, {48, 4096})}, {}, "down"));
  EXPECT_TRUE(work_of(split(graph, 2), norm).statistic);
  EXPECT_FALSE(work_of(split(graph, 1), norm).statistic);
}

}  // namespace
}  // namespace cleave::plan
