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

/// A reader of the rows of a matrix for packing, some at a time, with the buffer that they may need. Each thread has
/// its own.
class RowSource {
 public:
  /// Reads up to `max_rows` rows at a time.
  RowSource(DType dtype, int64_t k, RowsReader rows, int64_t max_rows);

  /// Where rows [first, first + count) begin, as stored. Valid until the next call.
  std::span<const std::byte* const> rows(int64_t first, int64_t count);

  /// The same, followed by rows of zeros, max_rows in all.
  std::span<const std::byte* const> padded_rows(int64_t first, int64_t count);

 private:
  RowsReader reader_;
  std::unique_ptr<std::byte[]> buffer_;  // [max_rows][row_bytes], untouched where rows are borrowed
  std::vector<std::byte> zeros_;
  std::vector<const std::byte*> pointers_;
};

/// Converts `count` elements of a float type to f32. Pointers need no alignment.
void widen(DType dtype, const simd::Table& table, const std::byte* from, int64_t count, float* to);

}  // namespace cleave::kernels
