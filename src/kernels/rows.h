#pragma once

#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

// Small operations on whole rows, such as a router needs. y may be x.

/// y[r] = sum of x[r, :] for x of [rows, n].
void sum_rows(const float* x, int64_t rows, int64_t n, float* y, ThreadPool& pool);

/// y[r, i] = x[r, i] + column[r] for column of [rows].
void add_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool);

/// y[i] = a[i] / b[i].
void div(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool);

/// y[r, i] = x[r, i] / row[i] for row of [n], y[r, i] = x[r, i] / column[r] for column of [rows].
void div_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool);
void div_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool);

/// y[r, i] = x[r, indices[r, i]] for x of [rows, n] and indices of [rows, k]. REQUIRES: every index is in [0, n); y is
/// not x.
void take(const float* x, const int32_t* indices, int64_t rows, int64_t n, int64_t k, float* y, ThreadPool& pool);

}  // namespace cleave::kernels
