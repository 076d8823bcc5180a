#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/params/unary_kind.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

// In all of these y may be any of the inputs; otherwise they do not overlap.

/// y[i] = a[i] + b[i], y[i] = a[i] * b[i] for i in [0, count).
void add(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool, Isa isa = best_isa());
void mul(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool, Isa isa = best_isa());

/// y[r, i] = x[r, i] + row[i], y[r, i] = x[r, i] * row[i] for x, y of [rows, n] and row of [n].
void add_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool,
             Isa isa = best_isa());
void mul_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool,
             Isa isa = best_isa());

/// y[r, i] = x[r, i] * column[r] for x, y of [rows, n] and column of [rows].
void mul_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool,
                Isa isa = best_isa());

/// y[i] = x[i] * factor.
void scale(const float* x, float factor, int64_t count, float* y, ThreadPool& pool, Isa isa = best_isa());

/// y[i] = f(x[i]).
void unary(UnaryKind kind, const float* x, int64_t count, float* y, ThreadPool& pool, Isa isa = best_isa());

/// y[i] = f(a[i]) * b[i], the gate of a gated MLP in one pass.
void gate(UnaryKind kind, const float* a, const float* b, int64_t count, float* y, ThreadPool& pool,
          Isa isa = best_isa());

}  // namespace cleave::kernels
