#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "tensor/tensor_view.h"

namespace cleave::kernels {

/// out[i, :] = row ids[i] of `table` ([rows, n] of any float or block type) in f32. Throws Error(InvalidArgument)
/// naming the id and the number of rows where an id lies outside the table. A table may be a part of one of `total`
/// rows, of which it holds those from `first` on: the others count as zeros, so that the parts' results add up.
void embed(const TensorView& table, const int32_t* ids, int64_t count, float* out, ThreadPool& pool, int64_t first = 0,
           int64_t total = -1);

/// out[i, :] = x[rows[i], :] for x of [.., n]. REQUIRES: every index is valid.
void gather_rows(const float* x, const int32_t* rows, int64_t count, int64_t n, float* out, ThreadPool& pool);

}  // namespace cleave::kernels
