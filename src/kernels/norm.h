#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/isa.h"

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

}  // namespace cleave::kernels
