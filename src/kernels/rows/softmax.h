#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

/// y[r, :] = exp(x[r, :] - max) / sum for x, y of [rows, n]. y may be x. An infinite negative x counts as masked; a row
/// of nothing else gives zeros.
void softmax(const float* x, int64_t rows, int64_t n, float* y, ThreadPool& pool, Isa isa = best_isa());

/// The k largest of each row of x[rows, n], largest first, equal ones by ascending index: indices[rows, k],
/// values[rows, k]. NaN counts as smaller than anything. Meant for small k (router choices). REQUIRES: 1 <= k <= n.
void top_k(const float* x, int64_t rows, int64_t n, int64_t k, int32_t* indices, float* values, ThreadPool& pool);

/// Every row of x[rows, n] falls into `groups` of neighbours. y is x where the group is one of the `kept` whose `best`
/// largest elements have the largest sums, 0 elsewhere (DeepSeek-AI, "DeepSeek-V3", 2024); equal ones count by
/// ascending index. scores is working memory of [rows, groups]. REQUIRES: n is a multiple of groups, 1 <= kept <=
/// groups, 1 <= best <= n / groups.
struct GroupChoice {
  int64_t groups, kept, best;
};
void keep_best_groups(const float* x, int64_t rows, int64_t n, const GroupChoice& choice, float* scores, float* y,
                      ThreadPool& pool);

}  // namespace cleave::kernels
