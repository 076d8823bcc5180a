#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/params/unary_kind.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

// Operations on single numbers. In all of them y may be one of the inputs; otherwise nothing overlaps.

/// Sums and products of two arrays of `count` numbers: y[i] = a[i] + b[i], y[i] = a[i] * b[i].
void add(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool, Isa isa = best_isa());
void mul(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool, Isa isa = best_isa());

/// Sums and products with a row [n] that all rows of x [rows, n] share: y[r, i] = x[r, i] + row[i], x[r, i] * row[i].
void add_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool,
             Isa isa = best_isa());
void mul_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool,
             Isa isa = best_isa());

/// Products of each row of x [rows, n] with a factor of its own, column [rows]: y[r, i] = x[r, i] * column[r].
void mul_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool,
                Isa isa = best_isa());

/// Products with one factor: y[i] = x[i] * factor.
void scale(const float* x, float factor, int64_t count, float* y, ThreadPool& pool, Isa isa = best_isa());

/// A function of each number: y[i] = f(x[i]).
void unary(UnaryKind kind, const float* x, int64_t count, float* y, ThreadPool& pool, Isa isa = best_isa());

/// The gate of a gated MLP, in one pass: y[i] = f(a[i]) * b[i].
void gate(UnaryKind kind, const float* a, const float* b, int64_t count, float* y, ThreadPool& pool,
          Isa isa = best_isa());

}  // namespace cleave::kernels
