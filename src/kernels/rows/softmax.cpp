#include "kernels/rows/softmax.h"

#include <cmath>

#include "base/check.h"
#include "kernels/simd/table.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Keeps the k largest numbers in order while walking along the row. A number displaces smaller ones, not equal ones.
void top_k_row(const float* x, int64_t n, int64_t k, int32_t* indices, float* values) {
  const auto better = [](float a, float b) { return std::isnan(b) ? !std::isnan(a) : a > b; };
  int64_t found = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (found == k && !better(x[i], values[k - 1])) continue;
    int64_t place = found < k ? found++ : k - 1;
    for (; place > 0 && better(x[i], values[place - 1]); --place) {
      values[place] = values[place - 1];
      indices[place] = indices[place - 1];
    }
    values[place] = x[i];
    indices[place] = static_cast<int32_t>(i);
  }
}

// Whether x[i] is among the `best` largest of `count` numbers. Of equal numbers the first count as larger.
bool is_among(const float* x, int64_t count, int64_t i, int64_t best) {
  int64_t before = 0;
  for (int64_t j = 0; j < count; ++j) before += x[j] > x[i] || (x[j] == x[i] && j < i) ? 1 : 0;
  return before < best;
}

}  // namespace

void softmax(const float* x, int64_t rows, int64_t n, float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(rows, row_grain(n, 4), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) table.softmax(x + row * n, n, y + row * n);
  });
}

void top_k(const float* x, int64_t rows, int64_t n, int64_t k, int32_t* indices, float* values, ThreadPool& pool) {
  CHECK_GE(k, 1);
  CHECK_LE(k, n);
  pool.parallel_for(rows, row_grain(n, 4), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) top_k_row(x + row * n, n, k, indices + row * k, values + row * k);
  });
}

void keep_best_groups(const float* x, int64_t rows, int64_t n, const GroupChoice& choice, float* scores, float* y,
                      ThreadPool& pool) {
  const int64_t groups = choice.groups, size = n / groups;
  pool.parallel_for(rows, row_grain(n, size), [&](int64_t begin, int64_t end) {
    for (int64_t group = begin * groups; group < end * groups; ++group) {
      scores[group] = 0;
      for (int64_t i = 0; i < size; ++i)
        if (is_among(x + group * size, size, i, choice.best)) scores[group] += x[group * size + i];
    }
    for (int64_t group = begin * groups; group < end * groups; ++group) {
      const bool kept = is_among(scores + group / groups * groups, groups, group % groups, choice.kept);
      for (int64_t i = group * size; i < (group + 1) * size; ++i) y[i] = kept ? x[i] : 0.0f;
    }
  });
}

}  // namespace cleave::kernels
