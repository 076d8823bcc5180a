#pragma once

#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string_view>
#include <vector>

#include "ckpt/random_weights.h"
#include "comm/communicator.h"
#include "graph/graph.h"
#include "plan/plan.h"
#include "plan/testing/graphs.h"
#include "runtime/model_source.h"
#include "runtime/split_model.h"

namespace cleave::runtime {

/// A decoder of two layers with random weights, for tests. Equal shapes and seeds make equal models.
class TinyModel {
 public:
  /// Without the tensor `missing`.
  explicit TinyModel(const plan::TransformerShape& shape = {}, uint64_t seed = 1, std::string_view missing = {})
      : graph(plan::TransformerBuilder(shape).build()), weights(random_weights(graph, seed, missing)) {}

  plan::Plan plan(int ranks) const {
    plan::PlanOptions request;
    request.rank_weights.assign(static_cast<size_t>(ranks), 1.0);
    request.policy = plan::Policy::Split;
    request.stored.assign(graph.nodes().size(), DType::F32);
    return plan::make_plan(graph, request);
  }

  /// Borrows the plan and this model.
  ModelSource source(const plan::Plan& plan) const { return {&graph, &plan, exact_options(), &weights}; }

  static Options exact_options() {
    Options options;
    options.numerics.exact = true;
    options.sizes = {.max_tokens = 16, .max_output_rows = 16, .kv_tokens = 64};
    return options;
  }

  graph::Graph graph;
  ckpt::RandomWeights weights;

 private:
  static ckpt::RandomWeights random_weights(const graph::Graph& graph, uint64_t seed, std::string_view missing) {
    std::vector<ckpt::RandomTensor> list;
    for (size_t i = 0; i < graph.nodes().size(); ++i)
      if (graph.nodes()[i].op == graph::Op::Weight && graph.nodes()[i].name != missing)
        list.push_back({graph.nodes()[i].name, DType::F32, graph.shape(static_cast<graph::NodeId>(i))});
    return {list, seed};
  }
};

/// The logits of all of `count` tokens, which begin a sequence; or another output's rows.
inline std::vector<float> logits_of(SplitModel& model, int32_t count, int program = 0) {
  std::vector<int32_t> tokens(static_cast<size_t>(count)), rows(tokens.size());
  std::iota(tokens.begin(), tokens.end(), 3);
  std::iota(rows.begin(), rows.end(), 0);
  const std::vector<int32_t> blocks = {1};
  const SequenceStep sequence{count, 0, count, blocks, 2};
  const std::span<const float> logits = model.step({tokens, {&sequence, 1}, rows}, program).logits;
  return {logits.begin(), logits.end()};
}

/// A group of ranks that are threads of this process.
inline LocalRanks thread_ranks(int ranks) {
  return {comm::thread_communicators(ranks), 1};
}

}  // namespace cleave::runtime
