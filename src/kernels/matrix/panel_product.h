#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/thread_pool.h"
#include "kernels/layout/dense_layout.h"
#include "kernels/matrix/matrix.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

namespace simd {
struct PanelTile;
}

/// A weight matrix W[n, k] as panels (dense_layout.h).
struct PanelShape {
  int64_t n, k;

  int64_t panels() const { return (n + kPanelRows - 1) / kPanelRows; }
  int64_t bf16_depth() const { return (k + kPanelDepth - 1) / kPanelDepth * kPanelDepth; }  // k, filled up with zeros
  int64_t columns(int64_t panel) const { return n - panel * kPanelRows < kPanelRows ? n % kPanelRows : kPanelRows; }
};

/// Multiplications up to which rounding activations to bf16 saves nothing that can be measured: small models keep their
/// accuracy (a router that sees rounded numbers may choose another expert).
inline constexpr int64_t kFewProducts = 1 << 19;

/// In which x and panels are multiplied; sums are f32 in both.
enum class PanelNumbers : uint8_t { Bf16, F32 };

/// A way to multiply rows with a part of a panel, and what it wants to be handed.
struct PanelKernel {
  void (*product)(const simd::PanelTile& tile);
  PanelNumbers numbers;
  RowLayout layout;    // of x
  int64_t least_rows;  // from which on it pays to round rows and lay them out
  int64_t depth;       // of a part, that it stays in a cache while rows pass by; a multiple of 256
  int64_t panels;      // that rows meet before they leave the second-level cache
};

/// The fastest with bf16 that `isa` has: matrix tiles or products of bf16 vectors; none below Avx512Bf16.
std::optional<PanelKernel> bf16_panel_kernel(Isa isa);

/// The one with f32.
PanelKernel f32_panel_kernel(Isa isa);

/// Gives elements [first, first + depth) of a panel, [depth / 2][kPanelRows][2] in bf16 or [depth][kPanelRows] in f32:
/// where they lie, or unpacked into `buffer`, which has room for them, `depth` rounded up to an even number, and is
/// aligned to 64 bytes. Read before the next call on the same thread. Where `buffer` is null, nothing is unpacked: null
/// for what would have to be.
using PanelReader = FunctionRef<const std::byte*(int64_t panel, int64_t first, int64_t depth, std::byte* buffer)>;

/// Products of many rows with panels, y[m, n] = x[m, k] * W^T with x rounded to the kernel's numbers and sums in f32. A
/// row of y depends on its row of x alone.
class PanelProduct {
 public:
  /// REQUIRES: the processor has what `kernel` and `isa`, which rounds, need.
  PanelProduct(const PanelShape& shape, const PanelKernel& kernel, Isa isa)
      : shape_(shape), kernel_(kernel), isa_(isa) {}

  size_t scratch_bytes(int64_t max_m, int threads) const;

  PanelNumbers numbers() const { return kernel_.numbers; }

  /// Matrix::preparation() of rounded rows, with which scratch begins: those of products with the same numbers, k and
  /// layout are the same. k is below 2^31, blocks of rows are small.
  uint64_t preparation() const {
    return uint64_t{1} << 63 | static_cast<uint64_t>(kernel_.numbers) << 48 |
           static_cast<uint64_t>(kernel_.layout.rows) << 32 | static_cast<uint64_t>(shape_.k);
  }

  /// REQUIRES: scratch is aligned to 64 bytes and holds scratch_bytes(m, pool.size()); x, y and scratch do not overlap.
  void multiply(const float* x, int64_t m, PanelReader panels, float* y, std::span<std::byte> scratch, ThreadPool& pool,
                Prepared prepared) const;

 private:
  struct Rectangle {
    int64_t first_panel, last_panel, first_row, last_row;
  };

  bool wide() const { return kernel_.numbers == PanelNumbers::F32; }
  int64_t number_bytes() const { return wide() ? 4 : 2; }
  int64_t depth() const { return wide() ? shape_.k : shape_.bf16_depth(); }
  int64_t row_stride() const;
  size_t rows_bytes(int64_t m) const;
  size_t part_bytes() const;
  size_t sums_bytes(int64_t m) const;
  void lay_out(const float* x, int64_t m, std::byte* out, ThreadPool& pool) const;
  void round_block(const float* x, int64_t rows, uint16_t* out) const;
  void interleave_block(const float* x, int64_t rows, float* out) const;
  void multiply_rectangle(const Rectangle& rectangle, const std::byte* rows, PanelReader panels, float* y,
                          std::byte* part, float* sums) const;

  PanelShape shape_;
  PanelKernel kernel_;
  Isa isa_;
};

}  // namespace cleave::kernels
