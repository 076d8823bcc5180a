#pragma once

#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

// Small operations such as a router needs. They are too rare to be worth a version for each instruction set. In all of
// them y may be x, unless said otherwise.

/// Each number plus an offset, or brought into a range: y[i] = x[i] + offset, y[i] = min(max(x[i], min), max).
void shift(const float* x, float offset, int64_t count, float* y, ThreadPool& pool);
void clamp(const float* x, float min, float max, int64_t count, float* y, ThreadPool& pool);

/// Integers as floats: y[r] = indices[r].
void to_real(const int32_t* indices, int64_t rows, float* y, ThreadPool& pool);

/// Sinusoidal embeddings: y[r, :], 2 * n numbers, are the sines and then the cosines of (indices[r] + offset) *
/// frequencies[i] for i in [0, n). The angle is a product in f32, as Transformers computes it.
void sinusoid(const int32_t* indices, int64_t rows, int64_t offset, const float* frequencies, int64_t n, float* y,
              ThreadPool& pool);

/// Sums of the rows of x [rows, n]: y[r] = sum(x[r, :]).
void sum_rows(const float* x, int64_t rows, int64_t n, float* y, ThreadPool& pool);

/// Each row of x [rows, n] plus a number of its own: y[r, i] = x[r, i] + column[r].
void add_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool);

/// Quotients of two arrays of `count` numbers: y[i] = a[i] / b[i].
void div(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool);

/// Quotients with a row [n] that all rows share, or with a number of each row: y[r, i] = x[r, i] / row[i],
/// y[r, i] = x[r, i] / column[r].
void div_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool);
void div_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool);

/// The columns of x [rows, n] at k places: y[r, i] = x[r, places[i]]. REQUIRES: every place is in [0, n); y is not x.
void gather_columns(const float* x, const int32_t* places, int64_t rows, int64_t n, int64_t k, float* y,
                    ThreadPool& pool);

/// Numbers of each row of x [rows, n] that indices [rows, k] name: y[r, i] = x[r, indices[r, i]]. REQUIRES: every index
/// is in [0, n); y is not x.
void take(const float* x, const int32_t* indices, int64_t rows, int64_t n, int64_t k, float* y, ThreadPool& pool);

}  // namespace cleave::kernels
