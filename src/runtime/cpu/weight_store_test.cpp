#include "runtime/cpu/weight_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "ckpt/random_weights.h"
#include "runtime/weights/weight_source.h"

namespace cleave::runtime::cpu {
namespace {

using lower::Parameter;
using testing::ElementsAre;

ckpt::RandomWeights random_weights() {
  return {{{"matrix", DType::BF16, {40, 64}}, {"table", DType::BF16, {10, 64}}, {"vector", DType::F32, {5}}}, 1};
}

/// A weight, or what a definition makes of it with an op.
Parameter parameter(graph::WeightUse use, const std::string& name, const Shape& shape,
                    std::vector<lower::WeightFunction> functions = {}) {
  graph::Graph graph;
  Parameter parameter;
  parameter.use = use;
  parameter.name = name;
  parameter.view = lower::view_of(graph, graph.weight({name}, shape), {});
  parameter.view.functions = std::move(functions);
  return parameter;
}

class WeightStoreTest : public testing::Test {
 protected:
  WeightStore load(
      const std::vector<Parameter>& parameters, const Progress& progress = [](int64_t, int64_t) {}) {
    const auto source = weights_from_files(weights_, parameters);
    foreseen_ = 0;
    for (size_t p = 0; p < parameters.size(); ++p)
      foreseen_ += packed_bytes(source->layouts()[p], parameters[p], options_);
    return WeightStore(*source, parameters, options_, pool_, progress);
  }

  const ckpt::RandomWeights weights_ = random_weights();
  const Parameter matrix_ = parameter(graph::WeightUse::Matrix, "matrix", {40, 64}),
                  table_ = parameter(graph::WeightUse::Table, "table", {10, 64}),
                  vector_ = parameter(graph::WeightUse::Vector, "vector", {5});
  ThreadPool pool_{2};
  Options options_;
  int64_t foreseen_ = 0;
};

TEST_F(WeightStoreTest, HoldsEachParameterAsItIsUsed) {
  const WeightStore store = load({matrix_, table_, vector_});
  ASSERT_EQ(store.parameters().size(), 3u);
  EXPECT_EQ(store.parameters()[0].matrix->n(), 40);
  EXPECT_EQ(store.parameters()[0].matrix->k(), 64);
  EXPECT_EQ(store.parameters()[1].table.shape, Shape({10, 64}));
  EXPECT_EQ(store.parameters()[2].vector.size(), 5u);
}

TEST_F(WeightStoreTest, TakesTheMemoryThatIsForeseen) {
  for (const auto format : {kernels::WeightFormat::AsStored, kernels::WeightFormat::Int8})
    for (const bool exact : {false, true}) {
      options_.numerics = {.exact = exact, .weights = format};
      const WeightStore store = load({matrix_, table_, vector_});
      EXPECT_EQ(store.bytes(), foreseen_);
      EXPECT_GE(store.bytes(), 40 * 64);
      EXPECT_EQ(store.stored_bytes(), 2 * 40 * 64 + 2 * 10 * 64 + 4 * 5);
    }
}

TEST_F(WeightStoreTest, LeavesTablesInTheirFiles) {
  const WeightStore store = load({table_});
  EXPECT_EQ(store.bytes(), 0);
  EXPECT_EQ(store.parameters()[0].table.bytes.data(), weights_.find("table")->view.bytes.data());
}

TEST_F(WeightStoreTest, CountsACopyOfAWeightInMemoryAlone) {
  Parameter copy = matrix_;
  copy.is_copy = true;
  const WeightStore once = load({matrix_}), twice = load({matrix_, copy});
  EXPECT_EQ(twice.bytes(), 2 * once.bytes());
  EXPECT_EQ(twice.stored_bytes(), once.stored_bytes());
}

TEST_F(WeightStoreTest, AppliesFunctionsToVectorsAlone) {
  const std::vector<lower::WeightFunction> functions = {graph::ScaleAttributes{2}, graph::ShiftAttributes{1}};
  const WeightStore plain = load({vector_});
  const WeightStore changed = load({parameter(graph::WeightUse::Vector, "vector", {5}, functions)});
  for (size_t i = 0; i < 5; ++i)
    EXPECT_FLOAT_EQ(changed.parameters()[0].vector[i], 2 * plain.parameters()[0].vector[i] + 1);
  EXPECT_THROW(load({parameter(graph::WeightUse::Matrix, "matrix", {40, 64}, functions)}), Error);
}

TEST_F(WeightStoreTest, ReportsProgressParameterByParameter) {
  std::vector<int64_t> done, totals;
  load({matrix_, vector_}, [&](int64_t bytes, int64_t total) {
    done.push_back(bytes);
    totals.push_back(total);
  });
  EXPECT_THAT(done, ElementsAre(2 * 40 * 64, 2 * 40 * 64 + 4 * 5));
  EXPECT_THAT(totals, ElementsAre(done.back(), done.back()));
}

}  // namespace
}  // namespace cleave::runtime::cpu
