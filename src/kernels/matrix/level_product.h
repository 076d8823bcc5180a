#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/layout/block_layout.h"
#include "kernels/matrix/matrix.h"

namespace cleave::kernels {

namespace simd {
struct DigitRows;
struct Table;
}  // namespace simd

/// Products of many rows with weights of a block layout, y[m, n] = x[m, k] * W[n, k]^T: levels are unpacked into bytes,
/// some strips at a time, activations rounded to one byte, two where they stand out. A row of y depends on its row of x
/// alone.
class LevelProduct {
 public:
  /// `weights`: strips of `layout`, which outlive the product. REQUIRES: the table has level_product.
  LevelProduct(int64_t n, int64_t k, LayoutId layout, const std::byte* weights, const simd::Table& table);

  size_t scratch_bytes(int64_t max_m, int threads) const;

  /// Matrix::preparation() of rounded rows, with which scratch begins. k is below 2^32.
  uint64_t preparation() const {
    return uint64_t{3} << 61 | static_cast<uint64_t>(layout_.zero) << 48 | static_cast<uint64_t>(layout_.group) << 32 |
           static_cast<uint64_t>(k_);
  }

  /// REQUIRES: scratch is aligned to 64 bytes and holds scratch_bytes(m, pool.size()); x, y and scratch do not overlap.
  void multiply(const float* x, int64_t m, float* y, std::span<std::byte> scratch, ThreadPool& pool,
                Prepared prepared) const;

 private:
  size_t place_rows(int64_t m, std::byte* scratch, simd::DigitRows& rows) const;
  size_t levels_bytes() const;
  size_t panel_bytes() const;
  void multiply_strips(int64_t begin, int64_t end, int64_t m, const simd::DigitRows& rows, float* y,
                       std::byte* panel) const;

  int64_t n_;
  int64_t k_;
  LayoutId id_;
  const BlockLayout& layout_;
  const std::byte* weights_;
  const simd::Table& table_;
  int64_t strip_bytes_;
  int64_t strips_at_once_;  // that are unpacked, and that a thread takes, at a time
};

}  // namespace cleave::kernels
