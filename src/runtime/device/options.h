#pragma once

#include <cstdint>
#include <optional>

#include "kernels/matrix/pack_options.h"
#include "lower/program.h"
#include "runtime/device/step.h"

namespace cleave::runtime {

/// Precision of a model that is to be loaded.
struct Numerics {
  bool exact = false;  // f32 throughout: weights as stored, products and the key-value cache in f32
  kernels::WeightFormat weights = kernels::WeightFormat::AsStored;
  DType kv_type = DType::F16;  // of cached keys and values: F32, F16 or I8; F32 where exact
  /// Instruction set that matrices are packed for and multiplied with; nothing: the best one here.
  std::optional<kernels::Isa> isa = std::nullopt;
};

/// Largest step of a model that is to be loaded, and how much it keeps of its sequences.
struct Sizes {
  int64_t max_tokens = 512;      // of a step
  int64_t max_output_rows = 64;  // rows of logits of a step
  int64_t kv_tokens = 4096;      // positions that the key-value cache holds, over all sequences

  /// Copies of a sequence's recurrent states that can be kept beside those of sequences under way, where the model has
  /// some; their memory becomes resident as it is used.
  int64_t num_snapshots = 0;

  int64_t num_state_slots() const { return max_output_rows; }  // as many as sequences can ask for logits in one step
  int64_t num_kv_blocks() const { return (kv_tokens + kKvBlockSize - 1) / kKvBlockSize; }
  lower::Limits limits() const { return {max_tokens, max_output_rows}; }
};

/// How a model is loaded; the same on all of its ranks.
struct Options {
  Numerics numerics;
  Sizes sizes;
  /// The key-value cache begins with numbers instead of untouched memory: a measurement then need not compute the
  /// context that a step is to read.
  bool fill_cache = false;
};

}  // namespace cleave::runtime
