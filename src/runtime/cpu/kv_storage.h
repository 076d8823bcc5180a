#pragma once

#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/params/kv_cache.h"
#include "lower/program.h"

namespace cleave::runtime::cpu {

/// Memory of the key-value cache: for every attention layer `num_blocks` blocks of `block_size` positions. Which
/// sequence owns which block is the caller's affair. Memory becomes resident as blocks are first written.
class KvStorage {
 public:
  KvStorage(const std::vector<lower::KvLayer>& layers, int64_t num_blocks, int64_t block_size, DType dtype);

  /// What a layer's cache is now: its addresses and its type change with widen().
  kernels::KvCache layer(size_t index) const;

  /// Keeps a layer in f32 from now on, with what it holds, where it is in f16 and is to take numbers that do not fit
  /// into it. Takes twice the memory of the layer. Throws Error(Io) where there is none.
  void widen(size_t index, ThreadPool& pool);

  int64_t num_blocks() const { return num_blocks_; }
  /// Of the layers that are not widened.
  DType dtype() const { return dtype_; }
  int64_t bytes() const;

  /// Writes numbers between -1 and 1 everywhere, the same ones every time.
  void fill(ThreadPool& pool);

 private:
  struct Layer {
    kernels::KvCache cache;
    Buffer keys, values;
  };
  Layer make_layer(const kernels::KvCache& shape) const;

  std::vector<Layer> layers_;
  int64_t num_blocks_;
  DType dtype_;
};

}  // namespace cleave::runtime::cpu
