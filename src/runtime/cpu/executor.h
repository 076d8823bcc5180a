#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/thread_pool.h"
#include "comm/communicator.h"
#include "lower/program.h"
#include "runtime/device/options.h"
#include "runtime/device/step.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime::cpu {

/// One rank's part of a model, ready to compute: packed weights, key-value cache, and its program. Used by one thread
/// at a time; computes on the given pool, together with the other ranks of the communicator, which run the same steps.
/// Keeps nothing of a sequence but its cached keys and values and its recurrent states, which live in the blocks and
/// the slot that the caller hands out.
class Executor {
 public:
  /// Takes and packs the weights of a rank, and is ready to run its first program; they were lowered with the limits of
  /// `options` (limits_of()). What the weights are read from, communicator and pool must outlive the model: a table
  /// stays in the checkpoint's mapping. Throws Error.
  static Executor load(WeightSource& weights, lower::RankPrograms programs, const Options& options,
                       comm::Communicator& communicator, ThreadPool& pool, const Progress& progress = {});
  Executor(Executor&&) noexcept;
  Executor& operator=(Executor&&) noexcept;
  ~Executor();

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
  explicit Executor(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::runtime::cpu
