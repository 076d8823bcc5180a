#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/thread_pool.h"
#include "kernels/dense_layout.h"
#include "kernels/isa.h"
#include "kernels/matrix.h"

namespace cleave::kernels {

/// A weight matrix W[n, k] as bf16 panels (dense_layout.h).
struct PanelShape {
  int64_t n, k;

  int64_t panels() const { return (n + kPanelRows - 1) / kPanelRows; }
  int64_t depth() const { return (k + kPanelDepth - 1) / kPanelDepth * kPanelDepth; }  // k, filled up with zeros
  int64_t columns(int64_t panel) const { return n - panel * kPanelRows < kPanelRows ? n % kPanelRows : kPanelRows; }
};

/// Multiplications up to which rounding activations to bf16 saves nothing that can be measured: small models keep their
/// accuracy (a router that sees rounded numbers may choose another expert).
inline constexpr int64_t kFewProducts = 1 << 19;

/// Gives elements [first, first + depth) of a panel, [depth / 2][kPanelRows][2]: where they lie, or unpacked into
/// `buffer`, which has room for them and is aligned to 64 bytes. Read before the next call on the same thread.
using PanelReader = FunctionRef<const std::byte*(int64_t panel, int64_t first, int64_t depth, std::byte* buffer)>;

/// Products of many rows with bf16 panels, y[m, n] = x[m, k] * W^T with x rounded to bf16 and sums in f32. A row of y
/// depends on its row of x alone.
class PanelProduct {
 public:
  virtual ~PanelProduct() = default;

  /// "avx512 bf16", "onednn".
  virtual std::string_view kind() const = 0;

  virtual size_t scratch_bytes(int64_t max_m, int threads) const = 0;

  /// Rounded rows come first in scratch, filled up to a multiple of this; those of products with the same k and padding
  /// are the same.
  virtual int64_t padding() const = 0;

  /// REQUIRES: scratch is aligned to 64 bytes and holds scratch_bytes(m, pool.size()); x, y and scratch do not overlap.
  virtual void multiply(const float* x, int64_t m, PanelReader panels, float* y, std::span<std::byte> scratch,
                        ThreadPool& pool, Prepared prepared) const = 0;
};

/// The fastest way that this processor and `isa` have: oneDNN where there are matrix tiles, our own kernel where there
/// are products of bf16 numbers, null otherwise. `max_m` is the most rows that will come.
std::unique_ptr<PanelProduct> make_panel_product(const PanelShape& shape, int64_t max_m, Isa isa);

/// Matrix::preparation() of rounded rows: for k and padding, both of which are below 2^31.
inline uint64_t rounded_rows_preparation(int64_t k, int64_t padding) {
  return uint64_t{1} << 63 | static_cast<uint64_t>(padding) << 32 | static_cast<uint64_t>(k);
}

/// Bytes of x[m, k] as bf16 [m filled up to `multiple` rows, depth]; and their making, what is filled up being zeros.
size_t rounded_rows_bytes(const PanelShape& shape, int64_t m, int64_t multiple);
void round_rows(const float* x, int64_t m, const PanelShape& shape, int64_t multiple, Isa isa, std::byte* out,
                ThreadPool& pool);

}  // namespace cleave::kernels
