#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"
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
  const int32_t* token_types() const { return token_types_.data(); }
  std::span<const kernels::SequenceSpan> spans() const { return spans_; }
  /// The same rows, as queries of the texts that they attend to beside their own.
  std::span<const kernels::SequenceSpan> source_spans() const { return source_spans_; }

  /// Neighbouring tokens of one kind: [first, end).
  struct Run {
    int64_t first, end;
    kernels::RowKind kind;
  };
  /// All tokens, in order.
  std::span<const Run> runs() const { return runs_; }
  /// The form of products of rows of a kind: of long prompts that of many rows, of short ones that of few. Rows of
  /// answers are computed as if they were as many as the model is loaded for, though at times they are few: it is the
  /// load, not the step, that decides.
  kernels::Form form_of(kernels::RowKind kind) const {
    return kind == kernels::RowKind::Answer ? answer_form() : kernels::form_of(kind);
  }
  /// The same of the rows of one expert, of which a token has `slots` of `experts`.
  kernels::Form expert_form_of(kernels::RowKind kind, int64_t slots, int64_t experts) const {
    if (kind == kernels::RowKind::ByCount || kind == kernels::RowKind::Prompt) return kernels::form_of(kind);
    return {std::max<int64_t>(1, form_of(kind).like * slots / experts)};
  }
  /// The same of rows of logits, which are as those of answers where kinds are said.
  kernels::Form output_form() const {
    return runs_[0].kind == kernels::RowKind::ByCount ? kernels::Form{} : answer_form();
  }

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
  kernels::Form answer_form() const { return {limits_.max_output_rows}; }
  void compute(Rope& rope, const StepInput& input, ThreadPool& pool) const;

  const lower::Limits limits_;
  const bool whole_sequences_;  // tokens attend to later ones: a step has all of a sequence
  const bool needs_source_;     // tokens attend to another text
  std::vector<int32_t> token_ids_, positions_, output_rows_, token_types_;  // sized for the largest step
  std::vector<kernels::SequenceSpan> spans_, source_spans_;
  std::vector<Run> runs_;
  std::vector<Rope> ropes_;
  int64_t num_tokens_ = 0, num_output_rows_ = 0;
};

}  // namespace cleave::runtime::cpu
