#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "kernels/matrix/pack_options.h"
#include "lower/program.h"

namespace cleave::runtime {

/// Precision and sizes of a model that is to be loaded: every rank of it gets the same.
struct Options {
  bool exact = false;  // f32 throughout: weights as stored, products and the key-value cache in f32
  kernels::WeightFormat weights = kernels::WeightFormat::AsStored;
  DType kv_type = DType::F16;    // of cached keys and values: F32, F16 or I8; F32 where exact
  int64_t max_tokens = 512;      // most tokens of a step
  int64_t max_output_rows = 64;  // most rows of logits of a step
  int64_t kv_tokens = 4096;      // positions that the key-value cache holds, over all sequences
  /// Instruction set that matrices are packed for and multiplied with; nothing: the best one here.
  std::optional<kernels::Isa> isa = std::nullopt;
  /// The key-value cache begins with numbers instead of untouched memory: a measurement then need not compute the
  /// context that a step is to read.
  bool fill_cache = false;
};

/// The limits that programs are lowered with.
inline lower::Limits limits_of(const Options& options) {
  return {options.max_tokens, options.max_output_rows};
}

/// Sees what an instruction has computed: the rows of its output in the current step, one after another. Called on the
/// rank's thread.
using Observer = std::function<void(int rank, const lower::Instruction& instruction, std::span<const float> output)>;

/// Bytes of weights packed so far and in all; called from the loading thread.
using Progress = std::function<void(int64_t done, int64_t total)>;

/// Bytes that one rank's part of a model takes.
struct MemoryUse {
  int64_t stored = 0;   // bytes of the checkpoint that became weights
  int64_t weights = 0;  // bytes that weights take, packed
  /// Bytes reserved; they become resident as they are used. The cache holds recurrent states, too.
  int64_t kv_cache = 0, activations = 0;
};

}  // namespace cleave::runtime
