#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/thread_pool.h"

namespace cleave::kernels {

/// Products of many rows with bf16 panels (dense_layout.h) by oneDNN's kernels, on the threads of our own pool: the
/// columns are cut into slices, the rows into chunks of a few fixed sizes, and every pair of the two is a task for a
/// primitive that runs on one thread. Primitives are made here, once. Executing one allocates a few small objects
/// inside oneDNN.
class OnednnProduct {
 public:
  /// For weights of `panels` panels and `depth` elements (a multiple of kPanelDepth), and up to about `max_m` rows.
  /// Null where this processor has no fast bf16 kernels that read the panels as they are.
  static std::unique_ptr<OnednnProduct> make(int64_t panels, int64_t depth, int64_t max_m);
  virtual ~OnednnProduct() = default;

  virtual size_t scratch_bytes(int64_t max_m, int threads) const = 0;

  /// y[m, n] = x[m, k] * W^T with x rounded to bf16. REQUIRES: k <= depth, n <= panels * kPanelRows; scratch aligned to
  /// 64 bytes.
  virtual void multiply(const float* x, int64_t m, int64_t k, const std::byte* weights, float* y, int64_t n,
                        std::span<std::byte> scratch, ThreadPool& pool) const = 0;
};

}  // namespace cleave::kernels
