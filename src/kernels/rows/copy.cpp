#include "kernels/rows/copy.h"

#include <algorithm>

#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

void copy_row(const float* source, int64_t source_stride, float* target, int64_t target_stride, int64_t count) {
  if (source_stride == 1 && target_stride == 1) {
    std::copy_n(source, count, target);
    return;
  }
  for (int64_t i = 0; i < count; ++i) target[i * target_stride] = source[i * source_stride];
}

}  // namespace

void copy_strided(const float* source, float* target, const StridedCopy& copy, ThreadPool& pool) {
  constexpr int kInner = StridedCopy::kDims - 1;
  int64_t rows = 1;
  for (int dim = 0; dim < kInner; ++dim) rows *= copy.extent[dim];
  const int64_t inner = copy.extent[kInner];
  if (inner <= 0) return;
  pool.parallel_for(rows, row_grain(inner), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t from = 0;
      int64_t to = 0;
      int64_t rest = row;
      for (int dim = kInner - 1; dim >= 0; --dim) {
        const int64_t index = rest % copy.extent[dim];
        rest /= copy.extent[dim];
        from += index * copy.source_stride[dim];
        to += index * copy.target_stride[dim];
      }
      copy_row(source + from, copy.source_stride[kInner], target + to, copy.target_stride[kInner], inner);
    }
  });
}

}  // namespace cleave::kernels
