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

/// The product of many rows with weights in a block layout, y[m, n] = x[m, k] * W[n, k]^T, by dot products of bytes.
/// Levels are unpacked into bytes, some strips at a time; activations are rounded to one byte each, and to two where
/// they stand out (simd/levels-inl.h). A few rows take levels as they are packed (simd/packed_levels-inl.h). A row
/// of y depends on its row of x alone. Immutable: several threads may call its members at once.
class LevelProduct {
 public:
  /// `weights` are strips of `layout`, which `id` names but for its groups; they outlive the product. REQUIRES: the
  /// table has level_product.
  LevelProduct(int64_t n, int64_t k, LayoutId id, const BlockLayout& layout, const std::byte* weights,
               const simd::Table& table);

  /// Bytes of scratch that multiply() needs for up to `max_m` rows on `threads` threads.
  size_t scratch_bytes(int64_t max_m, int threads) const;

  /// Matrix::preparation() of the rounded rows, with which scratch begins. k is below 2^32.
  uint64_t preparation() const {
    return uint64_t{3} << 61 | static_cast<uint64_t>(layout_.zero) << 48 | static_cast<uint64_t>(layout_.group) << 32 |
           static_cast<uint64_t>(k_);
  }

  /// Writes y[m, n]. REQUIRES: scratch is aligned to 64 bytes and holds scratch_bytes(m, pool.size()); x, y and scratch
  /// do not overlap.
  void multiply(const float* x, int64_t m, float* y, std::span<std::byte> scratch, ThreadPool& pool,
                Prepared prepared) const;

 private:
  size_t place_rows(int64_t m, std::byte* scratch, simd::DigitRows& rows) const;
  size_t levels_bytes() const;
  size_t panel_bytes() const;
  void multiply_packed(int64_t begin, int64_t end, int64_t m, const simd::DigitRows& rows, float* y) const;
  void multiply_strips(int64_t begin, int64_t end, int64_t m, const simd::DigitRows& rows, float* y,
                       std::byte* panel) const;

  int64_t n_;
  int64_t k_;
  LayoutId id_;
  BlockLayout layout_;  // with long groups where there are such
  int record_groups_;   // of the layout's own groups
  bool in_long_groups_;
  const std::byte* weights_;
  const simd::Table& table_;
  int64_t strip_bytes_;
  int64_t strips_at_once_;  // strips that a thread takes and unpacks at a time
};

}  // namespace cleave::kernels
