#pragma once

#include <cstdint>
#include <span>

#include "kernels/params/sequence_span.h"

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
};

/// What one step computes. The tokens of all sequences follow one another in `tokens`.
struct StepInput {
  std::span<const int32_t> tokens;          // [T], 1 <= T <= Options::max_tokens
  std::span<const SequenceStep> sequences;  // their num_tokens add up to T
  std::span<const int32_t> output_rows;     // [R], R <= Options::max_output_rows: the tokens whose logits are wanted
};

}  // namespace cleave::runtime
