#pragma once

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/params/sequence_span.h"
#include "lower/program.h"
#include "runtime/device/step.h"

namespace cleave::runtime::cpu {

/// The input of the current step as instructions see it. It is copied to fixed places, so that instructions are bound
/// to them once; memory is reserved for the largest step beforehand.
class StepState {
 public:
  explicit StepState(const lower::Program& program);

  /// Takes over a step's input and computes what depends on it alone: positions, spans, sines and cosines of the
  /// rotary embeddings. Throws Error(InvalidArgument) where the input contradicts itself or exceeds the limits.
  void begin(const StepInput& input, int64_t block_size, ThreadPool& pool);

  int64_t num_tokens() const { return num_tokens_; }
  int64_t num_output_rows() const { return num_output_rows_; }
  const int32_t* token_ids() const { return token_ids_.data(); }
  const int32_t* positions() const { return positions_.data(); }
  const int32_t* output_rows() const { return output_rows_.data(); }
  std::span<const kernels::SequenceSpan> spans() const { return spans_; }

  /// Cosines and sines of rope `index` of the program, [T, half].
  const float* cosines(size_t index) const { return ropes_[index].cosines.data(); }
  const float* sines(size_t index) const { return ropes_[index].sines.data(); }

 private:
  struct Rope {
    const graph::RopeAttributes* attributes;
    std::vector<float> frequencies, long_frequencies;  // [half]
    std::vector<float> current;                        // [half]: those of the sequence at hand
    std::vector<float> cosines, sines;                 // [max_tokens, half]
  };

  void check(const StepInput& input, int64_t block_size) const;
  void compute(Rope& rope, const StepInput& input, ThreadPool& pool) const;

  const lower::Limits limits_;
  std::vector<int32_t> token_ids_, positions_, output_rows_;  // sized for the largest step
  std::vector<kernels::SequenceSpan> spans_;
  std::vector<Rope> ropes_;
  int64_t num_tokens_ = 0, num_output_rows_ = 0;
};

}  // namespace cleave::runtime::cpu
