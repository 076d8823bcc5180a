#include "plan/work.h"

#include <gtest/gtest.h>

#include "plan/testing/graphs.h"

namespace cleave::plan {
namespace {

StepWork work_of(const TransformerShape& model, const StepShape& step, DType stored = DType::BF16) {
  const graph::Graph graph = TransformerBuilder(model).build();
  const Problem problem = make_problem(graph, {1}, std::vector<DType>(graph.nodes().size(), stored));
  return step_work(problem, step, DType::F16);
}

// Elements of the matrices of a layer, and of the head.
constexpr double kLayer = 48 * 48 * 2 + 48 * 24 * 2 + 48 * 88 * 3, kHead = 131 * 48;

TEST(StepWork, ReadsEveryWeightOnceWhateverTheBatch) {
  for (const int64_t batch : {1, 8})
    EXPECT_EQ(work_of({}, {.sequences = batch}).weight_bytes, 2 * (2 * kLayer + kHead)) << batch;
}

TEST(StepWork, MultipliesEveryWeightForEveryTokenButTheHeadForOutputsAlone) {
  EXPECT_EQ(work_of({}, {.sequences = 3, .tokens = 5}).flops.at(DType::BF16), 2 * (15 * 2 * kLayer + 3 * kHead));
}

TEST(StepWork, ReadsTheCacheOfEverySequence) {
  // 3 key-value heads of 8, keys and values, 2 layers, 2 bytes.
  EXPECT_EQ(work_of({}, {.sequences = 4, .tokens = 1, .past = 99}).cache_bytes, 4 * 100 * 2 * 24 * 2 * 2);
}

TEST(StepWork, AttendsToTheTokensBeforeAndItself) {
  // Tokens 0, 1, 2: six pairs; 6 heads of 8 for scores and as much for values, 2 layers.
  EXPECT_EQ(work_of({}, {.tokens = 3}).attention_flops, 2 * 6 * 2 * (48 + 48));
}

// One layer of latent attention: 6 heads of 8 own and 4 turned dimensions and 12 of values, of 16 cached ones and
// those 4.
StepWork latent_work(const StepShape& step) {
  using graph::Op;
  graph::Graph graph;
  const graph::NodeId x =
      graph.add(Op::Embedding, {graph.input(graph::InputKind::TokenIds), graph.weight({"embed.weight"}, {131, 24})});
  const auto heads = [&](const std::string& name, int64_t count, int64_t dim) {
    const graph::NodeId y = graph.add(Op::Matmul, {x, graph.weight({name}, {count * dim, 24})}, {}, name);
    return graph.add(Op::Reshape, {y}, graph::ReshapeAttributes{{graph::kDynamic, count, dim}});
  };
  const graph::NodeId latent = heads("latent", 1, 16);
  const graph::NodeId own = graph.add(Op::BlockMatmul, {heads("own", 6, 8), graph.weight({"to_keys"}, {6, 16, 8})});
  const graph::NodeId q = graph.add(Op::Concat, {own, heads("turned", 6, 4)}, graph::ConcatAttributes{2});
  const graph::NodeId k = graph.add(Op::Concat, {latent, heads("k_turned", 1, 4)}, graph::ConcatAttributes{2});
  const graph::NodeId y = graph.add(Op::Attention, {q, k, latent}, graph::AttentionAttributes{});
  graph.add_output("decode", graph.add(Op::BlockMatmul, {y, graph.weight({"to_values"}, {6, 12, 16})}));
  return step_work(make_problem(graph, {1}, {}), step, DType::F16);
}

TEST(StepWork, TakesTheFormOfLatentAttentionThatMultipliesLess) {
  EXPECT_EQ(latent_work({.tokens = 3}).attention_flops, 2 * 6 * 6 * (8 + 4 + 12));
  EXPECT_EQ(latent_work({.tokens = 1, .past = 99}).attention_flops, 2 * 6 * 100 * (16 + 4 + 16));
}

TEST(StepWork, CountsBlocksAsStored) {
  EXPECT_EQ(work_of({.width = 64, .heads = 8, .kv_heads = 4, .intermediate = 96}, {}, DType::Q8_0).weight_bytes,
            (2 * (64 * 64 * 2 + 64 * 32 * 2 + 64 * 96 * 3) + 131 * 64) / 32 * 34.0);
}

TEST(StepWork, ExpectsAsManyExpertsAsTokensChoose) {
  const TransformerShape model{.experts = 8};
  const StepWork one = work_of(model, {.sequences = 1}), two = work_of(model, {.sequences = 2}),
                 many = work_of(model, {.sequences = 1000});
  EXPECT_LT(one.weight_bytes, two.weight_bytes);
  EXPECT_LT(two.weight_bytes - one.weight_bytes, one.weight_bytes);
  const double all = many.weight_bytes;
  EXPECT_NEAR(work_of(model, {.sequences = 2000}).weight_bytes, all, 1e-6 * all);
  EXPECT_DOUBLE_EQ(two.flops.at(DType::BF16), 2 * one.flops.at(DType::BF16));
}

}  // namespace
}  // namespace cleave::plan
