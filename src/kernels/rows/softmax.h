#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

/// The softmax of each row of x [rows, n]: y[r, :] = exp(x[r, :] - max) / sum. An x of minus infinity is masked; a row
/// in which all are gives zeros. y may be x.
void softmax(const float* x, int64_t rows, int64_t n, float* y, ThreadPool& pool, Isa isa = best_isa());

/// The k largest numbers of each row of x [rows, n], largest first, equal ones by ascending index: indices [rows, k]
/// and values [rows, k]. NaN counts as smaller than all numbers. Meant for the small k of routers. REQUIRES: 1 <= k <=
/// n.
void top_k(const float* x, int64_t rows, int64_t n, int64_t k, int32_t* indices, float* values, ThreadPool& pool);

/// Which groups of experts a router may choose from (DeepSeek-AI, "DeepSeek-V3", 2024).
struct GroupChoice {
  int64_t groups;  // into which a row falls, neighbours together
  int64_t kept;    // groups
  int64_t best;    // numbers of a group whose sum is the group's score
};

/// Keeps the numbers of each row of x [rows, n] that lie in one of the `kept` groups with the highest scores, equal
/// ones by ascending index, and replaces all others by 0, into y. scores [rows, groups] is working memory. REQUIRES: n
/// is a multiple of groups, 1 <= kept <= groups, 1 <= best <= n / groups.
void keep_best_groups(const float* x, int64_t rows, int64_t n, const GroupChoice& choice, float* scores, float* y,
                      ThreadPool& pool);

}  // namespace cleave::kernels
