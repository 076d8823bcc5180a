#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/thread_pool.h"
#include "comm/communicator.h"
#include "kernels/matrix.h"
#include "lower/program.h"
#include "runtime/step.h"

namespace cleave::runtime {

class WeightSource;

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

/// Sees what an instruction has computed: the rows of its output in the current step, one after another. Called on the
/// rank's thread.
using Observer = std::function<void(int rank, const lower::Instruction& instruction, std::span<const float> output)>;

/// Bytes of weights packed so far and in all; called from the loading thread.
using Progress = std::function<void(int64_t done, int64_t total)>;

struct MemoryUse {
  int64_t stored = 0;   // bytes of the checkpoint that became weights
  int64_t weights = 0;  // bytes that weights take, packed
  /// Bytes reserved; they become resident as they are used. The cache holds recurrent states, too.
  int64_t kv_cache = 0, activations = 0;
};

/// One rank's part of a model, ready to compute: packed weights, key-value cache, and its program. Used by one thread
/// at a time; computes on the given pool, together with the other ranks of the communicator, which run the same steps.
/// Keeps nothing of a sequence but its cached keys and values and its recurrent states, which live in the blocks and
/// the slot that the caller hands out.
class Model {
 public:
  static constexpr int64_t kBlockSize = 32;  // positions of a key-value block

  /// Takes and packs the weights of a program, which was lowered with the limits of `options` (limits_of()). What the
  /// weights are read from, communicator and pool must outlive the model: a table stays in the checkpoint's mapping.
  /// Throws Error.
  static Model load(WeightSource& weights, lower::Program program, const Options& options,
                    comm::Communicator& communicator, ThreadPool& pool, const Progress& progress = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  static lower::Limits limits_of(const Options& options) { return {options.max_tokens, options.max_output_rows}; }

  int64_t vocab_size() const;
  int64_t num_blocks() const;       // key-value blocks; ids are [0, num_blocks)
  int64_t num_state_slots() const;  // sequences that can be under way at a time; 0 where it does not matter
  MemoryUse memory() const;
  const Options& options() const;

  /// Runs one step. Returns logits [R, vocab_size] in the order of output_rows, valid until the next step; they are
  /// complete on rank 0. Throws Error(InvalidArgument) for a token id outside the vocabulary or a position beyond the
  /// model's learned ones, Error(Comm) where another rank fails.
  std::span<const float> step(const StepInput& input);

  /// From now on every instruction is followed by a call of `observer`.
  void observe(const Observer& observer);

 private:
  struct Impl;
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::runtime
