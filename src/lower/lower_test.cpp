#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lower/lower.h"

namespace cleave::lower {
namespace {

using graph::Graph;
using graph::kDynamic;
using graph::NodeId;
using graph::Op;

NodeId activation(Graph& graph, int64_t width) {
  return graph.add(Op::Embedding,
                   {graph.input(graph::InputKind::TokenIds), graph.weight({"embed.weight"}, {131, width})});
}

NodeId linear(Graph& graph, NodeId x, const std::string& name, int64_t out) {
  return graph.add(Op::Matmul, {x, graph.weight({name}, {out, graph.shape(x).back()})}, {}, name);
}

// ---- weights

TEST(WeightView, FollowsASliceThroughATranspose) {
  Graph graph;
  const NodeId w = graph.weight({"w"}, {48, 144});
  const NodeId t = graph.add(Op::Transpose, {w}, graph::TransposeAttributes{{1, 0}});
  const NodeId k = graph.add(Op::Slice, {t}, graph::SliceAttributes{0, 48, 96});
  const WeightView stored = view_of(graph, w, {});
  const WeightView transposed = view_of(graph, t, {&stored});
  const WeightView sliced = view_of(graph, k, {&transposed});
  EXPECT_EQ(sliced.shape, (Shape{48, 48}));
  ASSERT_EQ(sliced.pieces.size(), size_t{1});
  EXPECT_EQ(sliced.pieces[0].offset, 48);
  EXPECT_EQ(sliced.pieces[0].strides, (std::vector<int64_t>{1, 144}));
}

TEST(WeightView, ReshapesAStridedBoxIntoOneOrSeveral) {
  Graph graph;
  const NodeId w = graph.weight({"w"}, {48, 16});
  const NodeId heads = graph.add(Op::Reshape, {w}, graph::ReshapeAttributes{{6, 8, 16}});
  const NodeId half = graph.add(Op::Slice, {heads}, graph::SliceAttributes{1, 4, 8});
  const NodeId flat = graph.add(Op::Reshape, {half}, graph::ReshapeAttributes{{6, 64}});
  const NodeId torn = graph.add(Op::Reshape, {half}, graph::ReshapeAttributes{{24, 16}});
  const WeightView stored = view_of(graph, w, {});
  const WeightView split = view_of(graph, heads, {&stored});
  const WeightView sliced = view_of(graph, half, {&split});
  EXPECT_EQ(view_of(graph, flat, {&sliced}).pieces[0].strides, (std::vector<int64_t>{128, 1}));
  const WeightView rows = view_of(graph, torn, {&sliced});  // half a head's rows each
  ASSERT_EQ(rows.pieces.size(), size_t{6});
  EXPECT_EQ(rows.pieces[2].begin, (Shape{8, 0}));
  EXPECT_EQ(rows.pieces[2].extents, (Shape{4, 16}));
  EXPECT_EQ(rows.pieces[2].offset, 2 * 8 * 16 + 4 * 16);
}

TEST(WeightView, ConcatenatesAndStacksPieces) {
  Graph graph;
  const NodeId a = graph.weight({"a"}, {2, 4}), b = graph.weight({"b"}, {3, 4});
  const NodeId both = graph.add(Op::Concat, {a, b}, graph::ConcatAttributes{0});
  const WeightView view_a = view_of(graph, a, {}), view_b = view_of(graph, b, {});
  const WeightView joined = view_of(graph, both, {&view_a, &view_b});
  EXPECT_EQ(joined.shape, (Shape{5, 4}));
  EXPECT_EQ(joined.pieces[1].begin, (Shape{2, 0}));
  const NodeId stack = graph.weight({"experts.*.w", 3}, {3, 8, 4});
  const WeightView third = outermost(view_of(graph, stack, {}), 2);
  EXPECT_EQ(third.shape, (Shape{8, 4}));
  ASSERT_EQ(third.pieces.size(), size_t{1});
  EXPECT_EQ(third.pieces[0].tensor, "experts.2.w");
}

TEST(WeightView, RemembersFunctionsThroughSlicesAndReshapes) {
  Graph graph;
  const NodeId w = graph.weight({"w"}, {12});
  const NodeId e = graph.add(Op::Unary, {w}, graph::UnaryAttributes{graph::UnaryKind::Exp});
  const NodeId n = graph.add(Op::Scale, {e}, graph::ScaleAttributes{-1});
  const NodeId heads = graph.add(Op::Reshape, {n}, graph::ReshapeAttributes{{6, 2}});
  const NodeId half = graph.add(Op::Slice, {heads}, graph::SliceAttributes{0, 0, 3});
  const WeightView stored = view_of(graph, w, {}), exp = view_of(graph, e, {&stored}),
                   negated = view_of(graph, n, {&exp}), split = view_of(graph, heads, {&negated}),
                   sliced = view_of(graph, half, {&split});
  ASSERT_EQ(sliced.functions.size(), size_t{2});
  EXPECT_EQ(std::get<graph::UnaryAttributes>(sliced.functions[0]).kind, graph::UnaryKind::Exp);
  EXPECT_EQ(std::get<graph::ScaleAttributes>(sliced.functions[1]).factor, -1);
  const NodeId both = graph.add(Op::Concat, {w, n}, graph::ConcatAttributes{0});
  EXPECT_THROW(view_of(graph, both, {&stored, &negated}), Error);
}

// ---- programs

// The program of the graph's first output, of one rank that computes it alone.
Program lower_one(const Graph& graph, const Limits& limits = {}) {
  return lower(graph, limits).programs.at(0);
}

const Instruction& last(const Program& program) {
  return program.instructions.back();
}

TEST(Lower, DropsWhatTheOutputDoesNotNeed) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  linear(graph, x, "unused", 7);
  graph.add_output("decode", linear(graph, x, "head", 131));
  const RankPrograms rank = lower(graph, {});
  ASSERT_EQ(rank.programs.size(), size_t{1});
  EXPECT_EQ(rank.programs[0].instructions.size(), size_t{2});
  EXPECT_EQ(rank.programs[0].output_width, 131);
  EXPECT_EQ(rank.parameters.size(), size_t{2});
}

TEST(Lower, ReshapesCostNothing) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId heads = graph.add(Op::Reshape, {x}, graph::ReshapeAttributes{{kDynamic, 6, 8}});
  graph.add_output("decode", graph.add(Op::Softmax, {heads}));
  const Program program = lower_one(graph);
  ASSERT_EQ(program.instructions.size(), size_t{2});
  EXPECT_EQ(last(program).inputs[0].index, program.instructions[0].output);
  EXPECT_EQ(last(program).input_shapes[0], (Shape{6, 8}));
}

Elementwise broadcast(const std::function<NodeId(Graph&, NodeId)>& second) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId heads = graph.add(Op::Reshape, {x}, graph::ReshapeAttributes{{kDynamic, 6, 8}});
  graph.add_output("decode", graph.add(Op::Mul, {heads, second(graph, heads)}));
  return last(lower_one(graph)).as<Elementwise>();
}

TEST(Lower, ClassifiesBroadcasts) {
  const Elementwise row = broadcast([](Graph& g, NodeId) { return g.weight({"w"}, {8}); });
  EXPECT_EQ(row.repeat, Elementwise::Repeat::Row);
  EXPECT_EQ(row.n, 8);
  const Elementwise rows = broadcast([](Graph& g, NodeId) { return g.weight({"w"}, {6, 8}); });
  EXPECT_EQ(rows.repeat, Elementwise::Repeat::Row);
  EXPECT_EQ(rows.n, 48);
  const Elementwise column = broadcast([](Graph& g, NodeId x) { return g.add(Op::Sum, {x}); });
  EXPECT_EQ(column.repeat, Elementwise::Repeat::Column);
  EXPECT_EQ(column.n, 8);
  const Elementwise same = broadcast([](Graph&, NodeId x) { return x; });
  EXPECT_EQ(same.repeat, Elementwise::Repeat::None);
}

TEST(Lower, RepeatsUnitDimensionsOfWeights) {
  Graph graph;
  const NodeId heads = graph.add(Op::Reshape, {activation(graph, 48)}, graph::ReshapeAttributes{{kDynamic, 6, 8}});
  const NodeId w = graph.add(Op::Reshape, {graph.weight({"d"}, {6})}, graph::ReshapeAttributes{{6, 1}});
  graph.add_output("decode", graph.add(Op::Mul, {heads, w}));
  const RankPrograms rank = lower(graph, {});
  const Program& program = rank.programs[0];
  EXPECT_EQ(last(program).as<Elementwise>().repeat, Elementwise::Repeat::Row);
  EXPECT_EQ(last(program).as<Elementwise>().n, 48);
  const Parameter& parameter = rank.parameters[static_cast<size_t>(last(program).inputs[1].index)];
  EXPECT_EQ(parameter.view.shape, (Shape{6, 8}));
  EXPECT_EQ(parameter.view.pieces[0].strides, (std::vector<int64_t>{1, 0}));
}

TEST(Lower, TellsHowMuchEveryOperationKeepsOfASequence) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  const NodeId y = graph.add(Op::CausalConv, {x, graph.weight({"conv"}, {48, 4})}, graph::StateAttributes{0});
  const NodeId heads = graph.add(Op::Reshape, {y}, graph::ReshapeAttributes{{kDynamic, 6, 8}});
  const NodeId z = graph.add(Op::LinearAttention, {heads, heads, heads, graph.weight({"a"}, {6, 1})},
                             graph::LinearAttentionAttributes{2, false, false});
  const NodeId flat = graph.add(Op::Reshape, {z}, graph::ReshapeAttributes{{kDynamic, 48}});
  graph.add_output("decode", graph.add(Op::LinearRecurrence, {flat, x}, graph::StateAttributes{1}));
  EXPECT_EQ(lower(graph, {}).states, (std::vector<int64_t>{48 * 3, 48, 6 * 8 * 8}));
}

// A mixture of `experts` experts over x; combines the result of `body`.
NodeId mixture(Graph& graph, NodeId x, int64_t experts) {
  const NodeId scores = graph.add(Op::Softmax, {linear(graph, x, "gate", experts)});
  const NodeId chosen = graph.add(Op::TopK, {scores}, graph::TopKAttributes{2});
  const NodeId weights = graph.add(Op::Take, {scores, chosen});
  const NodeId rows = graph.add(Op::Dispatch, {x, chosen}, graph::DispatchAttributes{experts});
  const NodeId w = graph.weight({"experts.*.w", experts}, {experts, 48, 48});
  const NodeId y = graph.add(Op::Matmul, {rows, w});
  const NodeId bias =
      graph.add(Op::Reshape, {graph.weight({"bias"}, {experts, 48})}, graph::ReshapeAttributes{{experts, 1, 48}});
  return graph.add(Op::Combine, {graph.add(Op::Add, {y, bias}), chosen, weights});
}

TEST(Lower, RoutedRowsKnowTheirRoutingAndForgetItAfterTheCombine) {
  Graph graph;
  NodeId x = activation(graph, 48);
  x = graph.add(Op::Add, {x, mixture(graph, x, 5)});
  graph.add_output("decode", graph.add(Op::Scale, {x}, graph::ScaleAttributes{2}));
  const Program program = lower_one(graph);
  ASSERT_EQ(program.routings.size(), size_t{1});
  EXPECT_EQ(program.routings[0].slots, 2);
  EXPECT_EQ(program.routings[0].all_experts, 5);
  EXPECT_EQ(program.routings[0].experts, 5);
  for (const Instruction& i : program.instructions) {
    const bool routed = program.values[static_cast<size_t>(i.output)].rows == Rows::Routed;
    EXPECT_EQ(i.routing >= 0, routed || i.op == Op::Combine) << graph::op_info(i.op).name;
    if (!routed) continue;
    EXPECT_TRUE(i.op != Op::Matmul || i.as<Products>().matrices.size() == 5);
    EXPECT_TRUE(i.op != Op::Add || i.as<Elementwise>().repeat == Elementwise::Repeat::ExpertRow);
  }
}

TEST(Lower, MarksTheMatrixThatChoosesExperts) {
  Graph graph;
  graph.add_output("decode", mixture(graph, activation(graph, 48), 5));
  for (const Parameter& parameter : lower(graph, {}).parameters)
    EXPECT_EQ(parameter.selects_experts, parameter.name == "gate") << parameter.name;
}

TEST(Lower, MarksTheMatricesOfExperts) {
  Graph graph;
  graph.add_output("decode", linear(graph, mixture(graph, activation(graph, 48), 5), "up", 96));
  int64_t experts = 0;
  for (const Parameter& parameter : lower(graph, {}).parameters) {
    EXPECT_EQ(parameter.of_expert, parameter.name.starts_with("experts.")) << parameter.name;
    experts += parameter.of_expert ? 1 : 0;
  }
  EXPECT_EQ(experts, 5);
}

TEST(Lower, MarksTheHead) {
  Graph graph;
  const NodeId logits = linear(graph, linear(graph, activation(graph, 48), "up", 96), "head", 131);
  graph.add_output("decode", graph.add(Op::Scale, {logits}, graph::ScaleAttributes{0.5}));
  for (const Parameter& parameter : lower(graph, {}).parameters)
    EXPECT_EQ(parameter.head, parameter.name == "head") << parameter.name;
}

TEST(Lower, RejectsAMatmulOfTwoActivations) {
  Graph graph;
  const NodeId x = activation(graph, 48);
  graph.add_output("decode", graph.add(Op::Matmul, {x, graph.add(Op::Scale, {x}, graph::ScaleAttributes{2})}));
  EXPECT_THROW(lower(graph, {}), Error);
}

TEST(Lower, SharesRotaryTablesBetweenLayers) {
  Graph graph;
  NodeId x = graph.add(Op::Reshape, {activation(graph, 48)}, graph::ReshapeAttributes{{kDynamic, 6, 8}});
  const NodeId positions = graph.input(graph::InputKind::Positions);
  graph::RopeAttributes rope;
  rope.inverse_frequencies = {1, 0.1, 0.01, 0.001};
  x = graph.add(Op::Rope, {x, positions}, rope);
  x = graph.add(Op::Rope, {x, positions}, rope);
  rope.attention_scale = 1.5;
  graph.add_output("decode", graph.add(Op::Rope, {x, positions}, rope));
  EXPECT_EQ(lower_one(graph).ropes.size(), size_t{2});
}

TEST(Lower, TakesTheSumsOfOneValuesProductsInOneExchange) {
  Graph graph;
  const NodeId h = graph.add(Op::Unary, {linear(graph, activation(graph, 48), "up", 96)}, graph::UnaryAttributes{});
  const NodeId a = graph.add(Op::RmsNorm, {linear(graph, h, "a", 8)}, graph::NormAttributes{1e-5});
  const NodeId b = graph.add(Op::RmsNorm, {linear(graph, h, "b", 16)}, graph::NormAttributes{1e-5});
  graph.add_output("decode", graph.add(Op::Add, {linear(graph, a, "from_a", 48), linear(graph, b, "from_b", 48)}));
  plan::PlanOptions request;
  request.policy = plan::Policy::Split;
  request.rank_weights = {1, 1, 1};
  const plan::Plan plan = plan::make_plan(graph, request);
  for (int rank = 0; rank < 3; ++rank) {
    const Program program = lower(graph, plan, rank, {}).programs.at(0);
    std::vector<const Instruction*> sums, parts;
    for (const Instruction& i : program.instructions) {
      if (i.action == Action::AllReduce && i.inputs.size() > 1) sums.push_back(&i);
      if (i.action == Action::SplitJointSum) parts.push_back(&i);
    }
    ASSERT_EQ(sums.size(), size_t{1});
    EXPECT_EQ(sums[0]->output_shape, Shape{24});
    ASSERT_EQ(parts.size(), size_t{2});
    EXPECT_EQ(parts[0]->output_shape, Shape{8});
    EXPECT_EQ(parts[1]->as<JointPart>().first, 8);
    EXPECT_EQ(parts[1]->inputs[0].index, sums[0]->output);
  }
}

// Latent attention of 6 heads with 8 own and 4 turned dimensions over vectors of 16 and 4.
Graph latent_attention(int64_t value_dim) {
  Graph graph;
  const NodeId x = activation(graph, 24);
  const auto heads = [&](const std::string& name, int64_t count, int64_t dim) {
    return graph.add(Op::Reshape, {linear(graph, x, name, count * dim)},
                     graph::ReshapeAttributes{{kDynamic, count, dim}});
  };
  const NodeId latent = heads("latent", 1, 16);
  const NodeId weight = graph.add(Op::Reshape, {graph.weight({"kv_b"}, {6 * (8 + value_dim), 16})},
                                  graph::ReshapeAttributes{{6, 8 + value_dim, 16}});
  const NodeId to_keys = graph.add(Op::Slice, {weight}, graph::SliceAttributes{1, 0, 8});
  const NodeId to_values = graph.add(Op::Slice, {weight}, graph::SliceAttributes{1, 8, 8 + value_dim});
  const NodeId absorb = graph.add(Op::Transpose, {to_keys}, graph::TransposeAttributes{{0, 2, 1}});
  const NodeId own = graph.add(Op::BlockMatmul, {heads("own", 6, 8), absorb});
  const NodeId q = graph.add(Op::Concat, {own, heads("turned", 6, 4)}, graph::ConcatAttributes{2});
  const NodeId k = graph.add(Op::Concat, {latent, heads("k_turned", 1, 4)}, graph::ConcatAttributes{2});
  const NodeId y = graph.add(Op::Attention, {q, k, latent}, graph::AttentionAttributes{});
  graph.add_output("decode", graph.add(Op::BlockMatmul, {y, to_values}));
  return graph;
}

TEST(Lower, TakesTheProductsOfLatentAttentionIntoIt) {
  const RankPrograms rank = lower(latent_attention(12), {});
  const Program& program = rank.programs[0];
  const Instruction& attention = last(program);
  const std::optional<LatentMatrices>& latent = attention.as<Attend>().latent;
  ASSERT_TRUE(latent.has_value());
  EXPECT_EQ(attention.output_shape, (Shape{6, 12}));
  EXPECT_EQ(attention.input_shapes, (std::vector<Shape>{{6, 8}, {6, 4}, {1, 20}}));
  EXPECT_TRUE(rank.kv_layers[0].values_in_keys);
  ASSERT_EQ(latent->keys.size(), size_t{6});
  const Parameter& keys = rank.parameters[static_cast<size_t>(latent->keys[2])];
  EXPECT_EQ(keys.view.shape, (Shape{8, 16}));
  EXPECT_EQ(keys.view.pieces[0].strides, (std::vector<int64_t>{16, 1}));
  EXPECT_EQ(keys.view.pieces[0].offset, 2 * (8 + 12) * 16);
  EXPECT_TRUE(keys.is_copy);
  for (const Instruction& i : program.instructions) EXPECT_NE(i.op, Op::BlockMatmul);
}

TEST(Lower, LeavesLatentAttentionAloneWhereKeysAndValuesWouldBeWider) {
  const Program program = lower_one(latent_attention(24));
  EXPECT_EQ(last(program).op, Op::BlockMatmul);
}

// ---- placement

// Instructions that write and last read each value, by brute force.
bool live_together(const Program& program, int32_t a, int32_t b) {
  const auto span = [&](int32_t value) {
    size_t first = SIZE_MAX, end = 0;
    for (size_t i = 0; i < program.instructions.size(); ++i) {
      bool used = program.instructions[i].output == value;
      for (const Operand& input : program.instructions[i].inputs)
        used = used || (input.kind == Operand::Kind::Value && input.index == value);
      if (!used) continue;
      first = std::min(first, i);
      end = i;
    }
    return std::pair(first, end);
  };
  const auto [first_a, end_a] = span(a);
  const auto [first_b, end_b] = span(b);
  return first_a <= end_b && first_b <= end_a;
}

TEST(Placement, ValuesThatLiveTogetherDoNotOverlap) {
  Graph graph;
  NodeId x = activation(graph, 48);
  for (int layer = 0; layer < 4; ++layer) {
    const std::string name = "layer" + std::to_string(layer);
    const NodeId up = linear(graph, x, name + ".up", 88), gate = linear(graph, x, name + ".gate", 88);
    const NodeId h = graph.add(Op::Mul, {graph.add(Op::Unary, {gate}, graph::UnaryAttributes{}), up});
    x = graph.add(Op::Add, {x, linear(graph, h, name + ".down", 48)});
  }
  graph.add_output("decode", x);
  const Limits limits{100, 10};
  const Program program = lower_one(graph, limits);
  int64_t sum = 0;
  const auto bytes = [&](const Value& v) {
    return num_rows(v, limits.max_tokens, limits.max_output_rows) * v.width * 4;
  };
  for (size_t a = 0; a < program.values.size(); ++a) {
    const Value& va = program.values[a];
    EXPECT_EQ(va.offset % Program::kAlignment, 0);
    EXPECT_LE(va.offset + bytes(va), program.arena_bytes);
    sum += bytes(va);
    for (size_t b = 0; b < a; ++b) {
      const Value& vb = program.values[b];
      const bool apart = va.offset + bytes(va) <= vb.offset || vb.offset + bytes(vb) <= va.offset;
      EXPECT_TRUE(apart || !live_together(program, static_cast<int32_t>(a), static_cast<int32_t>(b)))
          << a << " and " << b;
    }
  }
  EXPECT_LT(program.arena_bytes, sum / 2);
}

}  // namespace
}  // namespace cleave::lower
