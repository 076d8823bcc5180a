#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "kernels/matrix/pack_options.h"
#include "kernels/simd/table.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Rows of a matrix for packing, some at a time; one object per thread.
class RowSource {
 public:
  /// For up to `max_rows` rows at a time.
  RowSource(DType dtype, int64_t k, RowsReader rows, int64_t max_rows);

  /// Rows [first, first + count) as stored; valid until the next call.
  std::span<const std::byte* const> rows(int64_t first, int64_t count);

  /// The same, filled up with rows of zeros to max_rows.
  std::span<const std::byte* const> padded_rows(int64_t first, int64_t count);

 private:
  RowsReader reader_;
  std::unique_ptr<std::byte[]> buffer_;  // [max_rows][row_bytes], untouched where rows are borrowed
  std::vector<std::byte> zeros_;
  std::vector<const std::byte*> pointers_;
};

/// `count` elements of a type that is not one of blocks, in f32. No alignment is needed.
void widen(DType dtype, const simd::Table& table, const std::byte* from, int64_t count, float* to);

}  // namespace cleave::kernels
