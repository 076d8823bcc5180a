#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "tensor/tensor_view.h"

namespace cleave::kernels {

/// Rows of an embedding table [rows, n] of any float or block type, in f32: out[i, :] = row ids[i]. Throws
/// Error(InvalidArgument), naming the id and the number of rows, if an id lies outside the table. The table may hold
/// rows `first` and following of one of `total` rows, which several ranks share; rows that it lacks then give zeros, so
/// that the ranks' results add up to the whole. -1: `total` is the number of the table's rows.
void embed(const TensorView& table, const int32_t* ids, int64_t count, float* out, ThreadPool& pool, int64_t first = 0,
           int64_t total = -1);

/// Some rows of x [.., n]: out[i, :] = x[rows[i], :]. REQUIRES: every index is one of a row.
void gather_rows(const float* x, const int32_t* rows, int64_t count, int64_t n, float* out, ThreadPool& pool);

}  // namespace cleave::kernels
