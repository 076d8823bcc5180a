#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

/// RMS norm (Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019) of rows of x [rows, n], with weight [n]:
///   y[r, :] = x[r, :] / sqrt(mean(x[r, :]^2) + eps) * (weight_offset + weight[:])
/// `weight_offset` is 1 for models that store the weight less one (Gemma), else 0. A null weight stands for factors of
/// 1, whatever the offset. y may be x.
void rms_norm(const float* x, const float* weight, float weight_offset, float eps, int64_t rows, int64_t n, float* y,
              ThreadPool& pool, Isa isa = best_isa());

/// Layer norm of rows of x [rows, n], with weight and bias [n]:
///   y[r, :] = (x[r, :] - mean) / sqrt(variance + eps) * weight[:] + bias[:]
/// A null weight stands for ones, a null bias for zeros. y may be x.
void layer_norm(const float* x, const float* weight, const float* bias, float eps, int64_t rows, int64_t n, float* y,
                ThreadPool& pool, Isa isa = best_isa());

// Both norms in two steps, for rows of which several ranks have a part each: ranks add up what sum_squares() gives.

/// Squares of the distances from the mean, summed over each row of x [rows, n]: out[r] = sum((x[r, :] - mean[r])^2). A
/// null mean stands for zeros.
void sum_squares(const float* x, const float* mean, int64_t rows, int64_t n, float* out, ThreadPool& pool);

/// The norm itself, from each row's mean and variance:
///   y[r, :] = (x[r, :] - mean[r]) / sqrt(variance[r] + eps) * (weight_offset + weight[:]) + bias[:]
/// A null mean or bias stands for zeros, a null weight for factors of 1, whatever the offset. y may be x.
void normalize(const float* x, const float* mean, const float* variance, const float* weight, float weight_offset,
               const float* bias, float eps, int64_t rows, int64_t n, float* y, ThreadPool& pool);

}  // namespace cleave::kernels
