#pragma once

#include <cstdint>
#include <span>

#include "kernels/params/sequence_span.h"
#include "kernels/rows/largest.h"

namespace cleave::runtime {

/// Positions of a key-value block.
inline constexpr int64_t kKvBlockSize = 32;

/// The part of a step that belongs to one sequence: its next tokens. Prompt chunks and single tokens mix freely in a
/// step.
struct SequenceStep {
  int64_t num_tokens = 0;      // >= 1
  int64_t start_position = 0;  // tokens of the sequence that earlier steps have processed
  /// Length that rotary embeddings with a length rule see: the whole prompt while it is processed in chunks, later the
  /// tokens so far, those of this step included (docs/models.md).
  int64_t rope_length = 0;
  /// Block table: position p lives in block blocks[p / kKvBlockSize]. Covers start_position + num_tokens positions.
  std::span<const int32_t> blocks;
  /// Where the model keeps what else it knows of the sequence (recurrent states): the same slot in every step of the
  /// sequence, in [0, SplitModel::num_state_slots()), of no other sequence meanwhile.
  int64_t state_slot = 0;
  /// A slot whose states the sequence goes on from: they are copied to its own before the step. -1: it has its own.
  int64_t restored_slot = -1;
  /// A slot to which the sequence's states are copied after the step. -1: none.
  int64_t saved_slot = -1;
  /// What its tokens are. Where it is said, their results do not depend on what else is in the step, nor on how many
  /// tokens of the sequence are.
  kernels::RowKind kind = kernels::RowKind::ByCount;
  /// Where the keys and values of the text are that the sequence attends to beside its own: blocks that a step of the
  /// output "encode" has filled, and the text's length. None where there is no such text.
  std::span<const int32_t> source_blocks = {};
  int64_t source_length = 0;
};

/// Most entries of RowLogits::top.
inline constexpr int32_t kMostTop = 512;

/// What is wanted of a row of logits.
struct LogitsWish {
  int32_t top = 0;  // the largest ones, that many, at most kMostTop; 0: all of them
  float scale = 0;  // of RowLogits::sum, a finite number; 0: no sum is wanted

  bool operator==(const LogitsWish&) const = default;
};

/// What is told of a row of logits. Borrowed.
struct RowLogits {
  std::span<const float> all = {};            // [output width] where all are wanted, else empty
  std::span<const kernels::Ranked> top = {};  // the largest and their tokens, by is_ahead(); only numbers are told
  bool is_complete = false;                   // whether `top` holds all that are numbers
  /// Sum of exp((logit - top[0].value) * scale) over all logits, the same for every number of ranks that have the same
  /// logits.
  double sum = 0;
};

/// What one step computes. The tokens of all sequences follow one another in `tokens`.
struct StepInput {
  std::span<const int32_t> tokens;            // [T], 1 <= T <= Options::max_tokens
  std::span<const SequenceStep> sequences;    // their num_tokens add up to T
  std::span<const int32_t> output_rows;       // [R], R <= Options::max_output_rows: the tokens whose logits are wanted
  std::span<const LogitsWish> wishes = {};    // [R], what of them; empty: all logits, one row after the other
  std::span<const int32_t> token_types = {};  // [T], which text of a pair each token belongs to; empty: all the first
};

/// What came of a step: borrowed until the next call, complete on rank 0.
struct StepOutput {
  std::span<const float> logits = {};    // [R, output width], where no wishes were said
  std::span<const RowLogits> rows = {};  // [R], where they were
};

}  // namespace cleave::runtime
