#include "plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "plan/explain.h"
#include "plan/testing/graphs.h"

namespace cleave::plan {
namespace {

using testing::Contains;
using testing::HasSubstr;

using graph::Graph;
using graph::NodeId;
using graph::Op;

PlanOptions options_for(int ranks, Policy policy = Policy::Split) {
  PlanOptions options;
  options.rank_weights.assign(static_cast<size_t>(ranks), 1.0);
  options.policy = policy;
  return options;
}

PlanOptions with(PlanOptions options, const std::string& pattern, Treatment treatment) {
  Override override;
  override.pattern = pattern;
  override.treatment = treatment;
  override.origin.where = "--flag";
  options.overrides.push_back(override);
  return options;
}

// "all-reduce 4 of a; ...": the exchanges of a plan, one after another.
std::vector<std::string> exchanges(const Graph& graph, const PlanOptions& options) {
  std::vector<std::string> rows;
  for (const ExchangeRow& row : explain(graph, make_plan(graph, options), options).exchanges)
    rows.push_back(fmt::format("{} {} of {}", row.kind, row.count, row.of));
  return rows;
}

Treatment treatment(const Plan& plan, const std::string& name) {
  for (const Module& module : plan.modules)
    if (module.info.name == name) return module.treatment;
  ADD_FAILURE() << "no module " << name;
  return Treatment::Keep;
}

TEST(Rules, EveryOpHasOneInItsOrder) {
  for (const graph::OpInfo& info : graph::op_table()) {
    EXPECT_EQ(rule_of(info.op).op, info.op);
    EXPECT_FALSE(rule_of(info.op).factors.empty()) << info.name;
  }
}

TEST(Rules, AttentionTakesKeyValueHeadsAndGroupsAsOneAxis) {
  const Graph graph = transformer({.heads = 6, .kv_heads = 3});
  const Axes axes(graph, joined_factors(graph));
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    if (graph.nodes()[i].op != Op::Attention) continue;
    const auto in_q = axes.in_dim(graph.dims(), graph.nodes()[i].dims[1]);
    ASSERT_EQ(in_q.size(), size_t{1});
    EXPECT_EQ(axes[in_q[0]].extent, 6);
  }
}

TEST(Axes, QueryRangesTouchTheKeyValueHeadsThatTheyNeed) {
  const Graph graph = transformer({.heads = 6, .kv_heads = 3});
  const Problem problem = make_problem(graph, {1, 1, 1, 1}, {});
  const graph::Node* attention = nullptr;
  for (const graph::Node& node : graph.nodes())
    if (node.op == Op::Attention) attention = &node;
  const AxisId heads = problem.axes.in_dim(graph.dims(), attention->dims[1]).at(0);
  EXPECT_EQ(problem.axes[heads].borders, (std::vector<int64_t>{0, 2, 3, 5, 6}));
  const graph::DimId kv = graph.node(attention->inputs[1]).dims[1];
  const auto local = [&](int rank) {
    return problem.axes.local(graph.dims(), kv, heads, problem.axes[heads].range(rank));
  };
  EXPECT_EQ(local(0), (std::vector<Interval>{{0, 1}}));
  EXPECT_EQ(local(1), (std::vector<Interval>{{1, 2}}));
  EXPECT_EQ(local(2), (std::vector<Interval>{{1, 3}}));  // heads 3 and 4 belong to two groups
  EXPECT_EQ(local(3), (std::vector<Interval>{{2, 3}}));
}

TEST(SplitInProportion, FollowsWeightsInWholeUnits) {
  EXPECT_EQ(split_in_proportion(9, 1, std::vector<double>{1, 1}), (std::vector<int64_t>{0, 5, 9}));
  EXPECT_EQ(split_in_proportion(12, 1, std::vector<double>{3, 2, 1}), (std::vector<int64_t>{0, 6, 10, 12}));
  EXPECT_EQ(split_in_proportion(88, 32, std::vector<double>{1, 1}), (std::vector<int64_t>{0, 64, 88}));
  EXPECT_EQ(split_in_proportion(2, 1, std::vector<double>(5, 1.0)), (std::vector<int64_t>{0, 0, 1, 1, 2, 2}));
}

TEST(Plan, APlainLayerOwesTwoSums) {
  EXPECT_THAT(exchanges(transformer({}), options_for(2)),
              testing::ElementsAre("all-reduce 1 of embed", "all-reduce 2 of layers.*.o",
                                   "all-reduce 2 of layers.*.down", "gather 1 of head"));
}

// One linear of 48 features, applied `times` times.
Graph repeated(int times) {
  Graph graph;
  NodeId x =
      graph.add(Op::Embedding, {graph.input(graph::InputKind::TokenIds), graph.weight({"embed.weight"}, {131, 48})});
  for (int i = 0; i < times; ++i) x = graph.add(Op::Matmul, {x, graph.weight({"again.weight"}, {48, 48})}, {}, "again");
  graph.add_output("decode", x);
  return graph::push_slices_into_weights(graph);
}

TEST(Plan, AModuleThatIsUsedAgainIsOneOfItsSize) {
  for (const int times : {1, 7}) {
    const Graph graph = repeated(times);
    const PlanOptions options = options_for(1);
    const Plan plan = make_plan(graph, options);
    ASSERT_EQ(plan.modules.size(), size_t{2});
    EXPECT_EQ(plan.modules[1].info.out, 48);
    const Explanation explanation = explain(graph, plan, options);
    EXPECT_THAT(explanation.modules[1].bytes, testing::ElementsAre(48 * 48 * 2));
    EXPECT_THAT(explanation.weight_bytes, testing::ElementsAre((131 * 48 + 48 * 48) * 2));
    EXPECT_EQ(plan.cost.resident, (131 * 48 + 48 * 48) * 2);
  }
}

TEST(Plan, ParallelAttentionAndMlpOweOneSum) {
  EXPECT_THAT(
      exchanges(transformer({.parallel = true}), options_for(3)),
      testing::ElementsAre("all-reduce 1 of embed", "all-reduce 2 of layers.*.down + layers.*.o", "gather 1 of head"));
}

TEST(Plan, RoutedAndSharedExpertsOweOneSum) {
  EXPECT_THAT(exchanges(transformer({.experts = 5, .shared_expert = true}), options_for(2)),
              Contains("all-reduce 2 of layers.*.experts.*.down + layers.*.shared_down"));
}

// Columns up, then `parts` slices of one projection back, each to a norm of its own and a matrix; with `rest`, what the
// last slice is added to before anything needs its value.
Graph sliced_projection(const std::vector<int64_t>& parts, bool rest) {
  Graph graph;
  const auto linear = [&](NodeId x, const std::string& name, int64_t out) {
    return graph.add(Op::Matmul, {x, graph.weight({name + ".weight"}, {out, graph.shape(x).back()})}, {}, name);
  };
  const NodeId x =
      graph.add(Op::Embedding, {graph.input(graph::InputKind::TokenIds), graph.weight({"embed.weight"}, {131, 48})});
  const NodeId h = graph.add(Op::Unary, {linear(x, "up", 96)}, graph::UnaryAttributes{});
  int64_t width = 0;
  for (const int64_t part : parts) width += part;
  const NodeId projected = linear(h, "projection", width);
  NodeId sum = -1;
  int64_t first = 0;
  for (const int64_t part : parts) {
    NodeId y = graph.add(Op::Slice, {projected}, graph::SliceAttributes{1, first, first + part});
    first += part;
    if (rest && first == width) y = graph.add(Op::Add, {y, linear(h, "rest", part)});
    y = graph.add(Op::RmsNorm, {y}, graph::NormAttributes{1e-5});
    y = linear(y, "back" + std::to_string(first), 48);
    sum = sum < 0 ? y : graph.add(Op::Add, {sum, y});
  }
  graph.add_output("decode", linear(sum, "head", 131));
  return graph::push_slices_into_weights(graph);
}

TEST(Plan, SlicesOfOneProjectionAreSummedInOneExchange) {
  const Graph graph = sliced_projection({8, 16, 16}, false);
  const PlanOptions options = options_for(3);
  const Plan plan = make_plan(graph, options);
  std::vector<ExchangeRow> rows = explain(graph, plan, options).exchanges;
  std::erase_if(rows, [](const ExchangeRow& row) { return row.of != "projection"; });
  ASSERT_EQ(rows.size(), size_t{1});
  EXPECT_EQ(rows[0].kind, "all-reduce");
  EXPECT_EQ(rows[0].count, 1);
  EXPECT_EQ(rows[0].bytes_per_token, 4 * (8 + 16 + 16));
  EXPECT_EQ(plan.cost.collectives, explain(graph, plan, options).collectives);
  EXPECT_EQ(plan.cost.collective_bytes, static_cast<double>(explain(graph, plan, options).collective_bytes));
}

TEST(Plan, ASliceThatMeetsAnotherSumTravelsOn) {
  const Graph graph = sliced_projection({8, 16, 16}, true);
  EXPECT_THAT(exchanges(graph, options_for(3)),
              testing::IsSupersetOf({"all-reduce 1 of projection", "all-reduce 1 of projection + rest"}));
}

TEST(Plan, OneRankExchangesNothing) {
  EXPECT_TRUE(exchanges(transformer({}), options_for(1)).empty());
}

TEST(Plan, AFusedProjectionIsSplitByHeads) {
  const Graph graph = transformer({.fused_qkv = true});
  const PlanOptions options = options_for(3);
  const Plan plan = make_plan(graph, options);
  EXPECT_EQ(treatment(plan, "layers.0.qkv"), Treatment::Column);
  EXPECT_EQ(treatment(plan, "layers.0.o"), Treatment::Row);
}

TEST(Plan, TheResidualStreamIsNotSplit) {
  const Graph graph = transformer({});
  const Plan plan = make_plan(graph, options_for(2));
  for (size_t a = 0; a < plan.axes.size(); ++a)
    if (plan.axes[static_cast<AxisId>(a)].label == "width") {
      EXPECT_FALSE(plan.decisions.split[a]);
    }
}

TEST(Plan, RanksHoldTheirSharesAlone) {
  const Graph graph = transformer({});
  const PlanOptions options = options_for(2);
  const Explanation e = explain(graph, make_plan(graph, options), options);
  EXPECT_LT(e.weight_bytes[0], e.stored_bytes * 0.55);
  EXPECT_LT(e.weight_bytes[1], e.stored_bytes * 0.55);
  EXPECT_GE(e.weight_bytes[0] + e.weight_bytes[1], e.stored_bytes);
}

int64_t cache_per_token(const Graph& graph, DType type) {
  PlanOptions options = options_for(1);
  options.cost.kv_type = type;
  return explain(graph, make_plan(graph, options), options).cache_bytes_per_token[0];
}

TEST(Plan, TheCacheIsCountedAsItIsKept) {
  const Graph graph = transformer({});
  constexpr int64_t kVectors = 2 * 2 * 3;  // 2 layers, keys and values of 3 heads of 8
  EXPECT_EQ(cache_per_token(graph, DType::F32), kVectors * 8 * 4);
  EXPECT_EQ(cache_per_token(graph, DType::F16), kVectors * 8 * 2);
  EXPECT_EQ(cache_per_token(graph, DType::I8), kVectors * (8 + 4));
}

TEST(Plan, ValuesThatAreInKeysAreCountedOnce) {
  Graph graph;
  const NodeId x =
      graph.add(Op::Embedding, {graph.input(graph::InputKind::TokenIds), graph.weight({"embed.weight"}, {131, 24})});
  const auto heads = [&](const std::string& name, int64_t count, int64_t dim) {
    const NodeId y = graph.add(Op::Matmul, {x, graph.weight({name + ".weight"}, {count * dim, 24})}, {}, name);
    return graph.add(Op::Reshape, {y}, graph::ReshapeAttributes{{graph::kDynamic, count, dim}});
  };
  const NodeId latent = heads("latent", 1, 16);
  const NodeId keys = graph.add(Op::Concat, {latent, heads("turned", 1, 4)}, graph::ConcatAttributes{2});
  graph.add_output("decode", graph.add(Op::Attention, {heads("q", 6, 20), keys, latent}, graph::AttentionAttributes{}));
  EXPECT_EQ(cache_per_token(graph, DType::F16), 20 * 2);
  EXPECT_EQ(cache_per_token(graph, DType::I8), 20 + 4);
}

TEST(Plan, TinyMatricesAreNotSplitForSpeed) {
  const Plan plan = make_plan(transformer({}), options_for(2, Policy::Auto));
  for (const std::string name : {"embed", "layers.0.gate", "layers.1.down", "head"})
    EXPECT_EQ(treatment(plan, name), Treatment::Keep) << name;
}

TEST(Plan, LargeModelsAreSplitForSpeed) {
  const Graph graph = transformer({.width = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128, .intermediate = 14336});
  EXPECT_THAT(exchanges(graph, options_for(2, Policy::Auto)),
              testing::IsSupersetOf({"all-reduce 2 of layers.*.o", "all-reduce 2 of layers.*.down"}));
}

TEST(Plan, RouterGatesStayWhole) {
  const Graph graph =
      transformer({.width = 4096, .heads = 32, .kv_heads = 8, .head_dim = 128, .intermediate = 14336, .experts = 8});
  EXPECT_EQ(treatment(make_plan(graph, options_for(2, Policy::Auto)), "layers.0.gate"), Treatment::Keep);
}

TEST(Plan, QuantisationBlocksAreNotCut) {
  const Graph graph = transformer({.intermediate = 88 * 2});
  PlanOptions options = options_for(2);
  options.stored.assign(graph.nodes().size(), DType::Q4_0);
  const Plan plan = make_plan(graph, options);
  bool found = false;
  for (size_t a = 0; a < plan.axes.size(); ++a) {
    const Axis& axis = plan.axes[static_cast<AxisId>(a)];
    if (axis.extent != 176) continue;
    found = true;
    EXPECT_EQ(axis.unit, 32);
    EXPECT_EQ(axis.borders[1] % 32, 0);
  }
  EXPECT_TRUE(found);
}

TEST(Overrides, AKeptLinearGathersWhatItNeeds) {
  const Graph graph = transformer({});
  EXPECT_THAT(exchanges(graph, with(options_for(2), "down", Treatment::Keep)),
              Contains(HasSubstr("all-gather 2 of layers.*.gate + layers.*.up")));
}

TEST(Overrides, ARowSplitLinearOwesASumWhereverItStands) {
  const Graph graph = transformer({});
  const PlanOptions options = with(options_for(2), "q", Treatment::Row);
  EXPECT_THAT(exchanges(graph, options), Contains("all-reduce 2 of layers.*.q"));
  EXPECT_EQ(treatment(make_plan(graph, options), "layers.1.q"), Treatment::Row);
}

TEST(Overrides, RowSplitLinearsOfOneValueAreSummedInOneExchange) {
  const Graph graph = transformer({});
  const PlanOptions options = with(with(options_for(2), "q", Treatment::Row), "v", Treatment::Row);
  EXPECT_THAT(exchanges(graph, options), Contains("all-reduce 2 of layers.*.q + layers.*.v"));
}

TEST(Overrides, ARowSplitWithTooFewUnitsSaysSo) {
  const Graph graph = transformer({.intermediate = 2});
  const Plan plan = make_plan(graph, with(options_for(3), "down", Treatment::Row));
  EXPECT_THAT(plan.warnings, Contains(HasSubstr("2 units for 3 ranks")));
  EXPECT_EQ(treatment(plan, "layers.0.down"), Treatment::Row);
}

TEST(Overrides, ExpertsAreDealtOutOrSplitAsAsked) {
  const Graph graph = transformer({.experts = 5});
  EXPECT_EQ(
      treatment(make_plan(graph, with(options_for(2), "experts", Treatment::ByExpert)), "layers.0.experts.*.down"),
      Treatment::ByExpert);
  EXPECT_EQ(
      treatment(make_plan(graph, with(options_for(2), "experts", Treatment::InsideExperts)), "layers.0.experts.*.down"),
      Treatment::Row);
}

TEST(Plan, IsTheSameEveryTimeAndDiffersWithTheRequest) {
  const Graph graph = transformer({});
  EXPECT_EQ(make_plan(graph, options_for(3)).hash(), make_plan(graph, options_for(3)).hash());
  EXPECT_NE(make_plan(graph, options_for(3)).hash(), make_plan(graph, options_for(2)).hash());
  EXPECT_NE(make_plan(graph, options_for(3)).hash(),
            make_plan(graph, with(options_for(3), "o", Treatment::Keep)).hash());
}

TEST(Plan, ImpossibleRankWeightsAreRefused) {
  const Graph graph = transformer({});
  PlanOptions options;
  options.rank_weights = {1, 0};
  EXPECT_THROW(make_plan(graph, options), Error);
  options.rank_weights = {};
  EXPECT_THROW(make_plan(graph, options), Error);
}

}  // namespace
}  // namespace cleave::plan
