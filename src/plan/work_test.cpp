#include "plan/work.h"

#include <gtest/gtest.h>

#include "plan/test_graphs.h"

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
