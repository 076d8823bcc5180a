#include "kernels/matrix/pack.h"

#include "base/error.h"
#include "kernels/matrix/block_matrix.h"
#include "kernels/matrix/dense_matrix.h"
#include "kernels/matrix/exact_matrix.h"
#include "tensor/blocks.h"

namespace cleave::kernels {
namespace {

// Elements of which rows in a block layout have a multiple.
constexpr int64_t kBlockStep = 32;

enum class Kind : uint8_t { Exact, Block, Dense };

Kind kind_of(DType dtype, int64_t n, int64_t k, const PackOptions& options) {
  if (!is_float(dtype) && !is_block(dtype))
    fail(ErrorKind::Unsupported, "a weight of type {} cannot be multiplied: expected a floating-point or block type",
         to_string(dtype));
  if (n < 1 || k < 1 || k % info(dtype).block_elements != 0)
    fail(ErrorKind::InvalidArgument, "a weight of {} rows of {} elements of type {}: expected whole blocks of {}", n, k,
         to_string(dtype), info(dtype).block_elements);
  if (options.exact) return Kind::Exact;
  if (dtype == DType::FP8_G128) return Kind::Dense;
  if (has_block_layout(dtype) && k % kBlockStep == 0) return Kind::Block;
  if (options.format != WeightFormat::AsStored && is_float(dtype) && k % 32 == 0) return Kind::Block;
  // Blocks without a layout of their own stay as stored.
  return is_block(dtype) ? Kind::Exact : Kind::Dense;
}

}  // namespace

bool has_layout(DType dtype) {
  return is_float(dtype) || dtype == DType::FP8_G128 || has_block_layout(dtype);
}

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

size_t packed_bytes(DType dtype, int64_t n, int64_t k, const PackOptions& options) {
  switch (kind_of(dtype, n, k, options)) {
    case Kind::Exact:
      return static_cast<size_t>(n * row_bytes(dtype, k));
    case Kind::Block:
      return block_matrix_bytes(dtype, n, k, options.format);
    case Kind::Dense:
      break;
  }
  return dense_matrix_bytes(dtype, n, k);
}

std::unique_ptr<Matrix> pack_matrix_rows(DType dtype, int64_t n, int64_t k, RowsReader rows, const PackOptions& options,
                                         ThreadPool& pool) {
  switch (kind_of(dtype, n, k, options)) {
    case Kind::Exact:
      return make_exact_matrix(dtype, n, k, rows, options, pool);
    case Kind::Block:
      return make_block_matrix(dtype, n, k, rows, options, pool);
    case Kind::Dense:
      break;
  }
  return make_dense_matrix(dtype, n, k, rows, options, pool);
}

}  // namespace cleave::kernels
