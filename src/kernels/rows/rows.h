#pragma once

#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

// Small operations on whole rows, such as a router needs. y may be x.

/// y[i] = x[i] + offset, y[i] = x[i] brought into [min, max].
void shift(const float* x, float offset, int64_t count, float* y, ThreadPool& pool);
void clamp(const float* x, float min, float max, int64_t count, float* y, ThreadPool& pool);

/// y[r] = indices[r].
void to_real(const int32_t* indices, int64_t rows, float* y, ThreadPool& pool);

/// y[r, :] = sines, then cosines of (indices[r] + offset) * frequencies, for frequencies of [n] and y of [rows, 2 * n].
/// The angle is a product in f32, as Transformers computes it.
void sinusoid(const int32_t* indices, int64_t rows, int64_t offset, const float* frequencies, int64_t n, float* y,
              ThreadPool& pool);

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
