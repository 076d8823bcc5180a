#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/thread_pool.h"
#include "ckpt/checkpoint.h"
#include "graph/graph.h"
#include "kernels/matrix.h"
#include "runtime/step.h"

namespace cleave::runtime {

struct Options {
  bool exact = false;  // f32 throughout: weights as stored, products and the key-value cache in f32
  kernels::WeightFormat weights = kernels::WeightFormat::AsStored;
  int64_t max_tokens = 512;      // most tokens of a step
  int64_t max_output_rows = 64;  // most rows of logits of a step
  int64_t kv_tokens = 4096;      // positions that the key-value cache holds, over all sequences
};

/// Bytes of weights packed so far and in all; called from the loading thread.
using Progress = std::function<void(int64_t done, int64_t total)>;

struct MemoryUse {
  int64_t weights = 0, kv_cache = 0,  // the cache holds recurrent states, too
      activations = 0;                // bytes reserved; activations and cache become resident as they are used
};

/// A model ready to compute: packed weights, key-value cache, and the program of its graph. Used by one thread at a
/// time; computes on the given pool. Keeps nothing of a sequence but its cached keys and values and its recurrent
/// states, which live in the blocks and the slot that the caller hands out.
class Model {
 public:
  static constexpr int64_t kBlockSize = 32;  // positions of a key-value block

  /// Lowers `graph`, then reads and packs its weights. The checkpoint and the pool must outlive the model. Throws
  /// Error.
  static Model load(const ckpt::Checkpoint& checkpoint, const graph::Graph& graph, const Options& options,
                    ThreadPool& pool, const Progress& progress = {});
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;
  ~Model();

  int64_t vocab_size() const;
  int64_t num_blocks() const;       // key-value blocks; ids are [0, num_blocks)
  int64_t num_state_slots() const;  // sequences that can be under way at a time; 0 where it does not matter
  MemoryUse memory() const;
  const Options& options() const;

  /// Runs one step. Returns logits [R, vocab_size] in the order of output_rows, valid until the next step. Throws
  /// Error(InvalidArgument) for a token id outside the vocabulary or a position beyond the model's learned ones.
  std::span<const float> step(const StepInput& input);

 private:
  struct Impl;
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cleave::runtime
