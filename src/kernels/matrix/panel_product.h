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

/// The shape of a weight matrix W[n, k] in panels (layout/dense_layout.h).
struct PanelShape {
  int64_t n, k;

  int64_t panels() const { return (n + kPanelRows - 1) / kPanelRows; }
  int64_t bf16_depth() const { return (k + kPanelDepth - 1) / kPanelDepth * kPanelDepth; }  // k and zeros after it
  int64_t columns(int64_t panel) const { return n - panel * kPanelRows < kPanelRows ? n % kPanelRows : kPanelRows; }
};

/// Multiplications of a product up to which activations are not rounded to bf16. Rounding would save nothing that can
/// be measured there, and small models lose by it: a router that sees rounded numbers may choose another expert.
inline constexpr int64_t kFewProducts = 1 << 19;

/// Numbers that are multiplied. Sums are f32 for both.
enum class PanelNumbers : uint8_t { Bf16, F32 };

/// A function that multiplies rows with a part of a panel, and the form and amounts in which it wants both.
struct PanelKernel {
  void (*product)(const simd::PanelTile& tile);
  PanelNumbers numbers;
  RowLayout layout;    // of the rows
  int64_t least_rows;  // for fewer rows it does not pay to round them and lay them out
  int64_t depth;       // elements of a part, few enough to stay in a cache while rows pass by; a multiple of 256
  int64_t panels;      // panels that a part of the rows is multiplied with before it leaves the second-level cache
};

/// The fastest kernel of bf16 that `isa` has: matrix tiles or products of bf16 vectors; nothing below Avx512Bf16.
std::optional<PanelKernel> bf16_panel_kernel(Isa isa);

/// The kernel of f32 of `isa`.
PanelKernel f32_panel_kernel(Isa isa);

/// A function that gives elements [first, first + depth) of a panel, [depth / 2][kPanelRows][2] in bf16 or
/// [depth][kPanelRows] in f32. They are either borrowed or unpacked into `buffer`, which is aligned to 64 bytes and has
/// room for `depth` elements rounded up to an even number, and are read before the next call on the same thread. With
/// a null `buffer` the question is where they lie: the answer is null if they would have to be unpacked.
using PanelReader = FunctionRef<const std::byte*(int64_t panel, int64_t first, int64_t depth, std::byte* buffer)>;

/// The product of many rows with panels, y[m, n] = x[m, k] * W[n, k]^T, with x rounded to the kernel's numbers and sums
/// in f32. A row of y depends on its row of x alone. Immutable: several threads may call its members at once.
class PanelProduct {
 public:
  /// `isa` names the instructions that round x. REQUIRES: the processor has those and what `kernel` needs.
  PanelProduct(const PanelShape& shape, const PanelKernel& kernel, Isa isa)
      : shape_(shape), kernel_(kernel), isa_(isa) {}

  /// Bytes of scratch that multiply() needs for up to `max_m` rows on `threads` threads.
  size_t scratch_bytes(int64_t max_m, int threads) const;

  PanelNumbers numbers() const { return kernel_.numbers; }

  /// Matrix::preparation() of the rounded rows, with which scratch begins: a number made of what they depend on, the
  /// kernel's numbers, k and the layout of rows. k is below 2^31, and blocks of rows are small.
  uint64_t preparation() const {
    return uint64_t{1} << 63 | static_cast<uint64_t>(kernel_.numbers) << 48 |
           static_cast<uint64_t>(kernel_.layout.rows) << 32 | static_cast<uint64_t>(shape_.k);
  }

  /// Writes y[m, n]. REQUIRES: scratch is aligned to 64 bytes and holds scratch_bytes(m, pool.size()); x, y and scratch
  /// do not overlap.
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
