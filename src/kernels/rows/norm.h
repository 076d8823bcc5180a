#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

/// y[r, :] = x[r, :] / sqrt(mean(x[r, :]^2) + eps) * (weight_offset + weight[:]) for x, y of [rows, n] and weight of
/// [n]. `weight_offset` is 1 for models that store the weight less one (Gemma), else 0. A null weight stands for ones,
/// without offset. y may be x. Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019.
void rms_norm(const float* x, const float* weight, float weight_offset, float eps, int64_t rows, int64_t n, float* y,
              ThreadPool& pool, Isa isa = best_isa());

/// y[r, :] = (x[r, :] - mean) / sqrt(variance + eps) * weight[:] + bias[:]. A null weight stands for ones, a null bias
/// for zeros. y may be x.
void layer_norm(const float* x, const float* weight, const float* bias, float eps, int64_t rows, int64_t n, float* y,
                ThreadPool& pool, Isa isa = best_isa());

/// The same in two steps, for rows of which several ranks have a part each.
///
/// out[r] = sum((x[r, :] - mean[r])^2); a null mean stands for zeros. x is [rows, n].
void sum_squares(const float* x, const float* mean, int64_t rows, int64_t n, float* out, ThreadPool& pool);
/// y[r, :] = (x[r, :] - mean[r]) / sqrt(variance[r] + eps) * (weight_offset + weight[:]) + bias[:]; null pointers stand
/// for no mean, ones (without offset) and zeros. y may be x.
void normalize(const float* x, const float* mean, const float* variance, const float* weight, float weight_offset,
               const float* bias, float eps, int64_t rows, int64_t n, float* y, ThreadPool& pool);

}  // namespace cleave::kernels
