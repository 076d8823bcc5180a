#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/isa.h"

namespace cleave::kernels {

/// y[r, :] = exp(x[r, :] - max) / sum for x, y of [rows, n]. y may be x. An infinite negative x counts as masked; a row
/// of nothing else gives zeros.
void softmax(const float* x, int64_t rows, int64_t n, float* y, ThreadPool& pool, Isa isa = best_isa());

/// The k largest of each row of x[rows, n], largest first, equal ones by ascending index: indices[rows, k],
/// values[rows, k]. NaN counts as smaller than anything. Meant for small k (router choices). REQUIRES: 1 <= k <= n.
void top_k(const float* x, int64_t rows, int64_t n, int64_t k, int32_t* indices, float* values, ThreadPool& pool);

}  // namespace cleave::kernels
