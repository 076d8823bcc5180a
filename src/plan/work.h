#pragma once

#include <cstdint>
#include <map>

#include "plan/problem.h"

namespace cleave::plan {

/// A step of `sequences` sequences with `tokens` new tokens each, behind `past` tokens each; the last new token of
/// every sequence gives logits.
struct StepShape {
  int64_t sequences = 1, tokens = 1, past = 0;
};

/// The least work of a step, on all ranks together, that any kernels have to do.
struct StepWork {
  double weight_bytes = 0;        // of weights that products read, as stored, each once
  double cache_bytes = 0;         // of keys and values, new ones included
  std::map<DType, double> flops;  // of products, by the stored type of their weights
  double attention_flops = 0;     // of scores and of weighted values

  StepWork& operator+=(const StepWork& other);
};

/// Of the graph's first output. Of mixtures of experts, the experts that tokens are expected to choose, each as often
/// as any other. Embeddings, norms and the states of recurrent operations are left out. `kv_type`: of cached keys and
/// values.
StepWork step_work(const Problem& problem, const StepShape& shape, DType kv_type);

}  // namespace cleave::plan
