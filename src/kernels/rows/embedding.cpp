#include "kernels/rows/embedding.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/work_sharing.h"
#include "tensor/convert.h"

namespace cleave::kernels {

void embed(const TensorView& table, const int32_t* ids, int64_t count, float* out, ThreadPool& pool, int64_t first,
           int64_t total) {
  const int64_t rows = total < 0 ? table.num_rows() : total;
  const int64_t n = table.row_elements();
  for (int64_t i = 0; i < count; ++i)
    if (ids[i] < 0 || ids[i] >= rows)
      fail(ErrorKind::InvalidArgument, "id {} at position {} lies outside the embedding table of {} rows", ids[i], i,
           rows);
  pool.parallel_for(count, row_grain(n, 4), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = ids[i] - first;
      if (row >= 0 && row < table.num_rows())
        convert_to_f32(table.dtype, table.row(row), {out + i * n, static_cast<size_t>(n)});
      else
        std::fill_n(out + i * n, n, 0.0f);
    }
  });
}

void gather_rows(const float* x, const int32_t* rows, int64_t count, int64_t n, float* out, ThreadPool& pool) {
  pool.parallel_for(count, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::copy_n(x + rows[i] * n, n, out + i * n);
  });
}

}  // namespace cleave::kernels
