#include "kernels/matrix.h"

#include "base/error.h"
#include "kernels/block_matrix.h"
#include "kernels/dense_matrix.h"
#include "kernels/exact_matrix.h"
#include "tensor/blocks.h"

namespace cleave::kernels {

std::unique_ptr<Matrix> pack_matrix(DType dtype, int64_t n, int64_t k, RowReader rows, const PackOptions& options,
                                    ThreadPool& pool) {
  const auto read = [&](int64_t first, std::span<const std::byte*> out, std::byte* buffer) {
    const auto size = static_cast<size_t>(row_bytes(dtype, k));
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t row = first + static_cast<int64_t>(i);
      const std::span<const std::byte> bytes = rows(row, {buffer + i * size, size});
      if (bytes.size() != size)
        fail(ErrorKind::InvalidArgument, "row {} of a weight has {} bytes, expected {} for {} elements of {}", row,
             bytes.size(), size, k, to_string(dtype));
      out[i] = bytes.data();
    }
  };
  return pack_matrix_rows(dtype, n, k, read, options, pool);
}

std::unique_ptr<Matrix> pack_matrix_rows(DType dtype, int64_t n, int64_t k, RowsReader rows, const PackOptions& options,
                                         ThreadPool& pool) {
  if (!is_float(dtype) && !is_block(dtype))
    fail(ErrorKind::Unsupported, "a weight of type {} cannot be multiplied: expected a floating-point or block type",
         to_string(dtype));
  if (n < 1 || k < 1 || k % info(dtype).block_elements != 0)
    fail(ErrorKind::InvalidArgument, "a weight of {} rows of {} elements of type {}: expected whole blocks of {}", n, k,
         to_string(dtype), info(dtype).block_elements);
  if (options.exact) return make_exact_matrix(dtype, n, k, rows, options, pool);
  if (has_block_layout(dtype)) return make_block_matrix(dtype, n, k, rows, options, pool);
  const bool quantize = options.format != WeightFormat::AsStored && is_float(dtype) && k % 32 == 0;
  if (quantize) return make_block_matrix(dtype, n, k, rows, options, pool);
  // Blocks without a layout of their own stay as they are and are converted a few rows at a time.
  if (is_block(dtype)) return make_exact_matrix(dtype, n, k, rows, options, pool);
  return make_dense_matrix(dtype, n, k, rows, options, pool);
}

}  // namespace cleave::kernels
