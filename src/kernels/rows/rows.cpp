#include "kernels/rows/rows.h"

#include <cmath>

#include "kernels/work_sharing.h"

namespace cleave::kernels {

void shift(const float* x, float offset, int64_t count, float* y, ThreadPool& pool) {
  pool.parallel_for(count, kGrainElements, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = x[i] + offset;
  });
}

void clamp(const float* x, float min, float max, int64_t count, float* y, ThreadPool& pool) {
  pool.parallel_for(count, kGrainElements, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = x[i] < min ? min : x[i] > max ? max : x[i];
  });
}

void to_real(const int32_t* indices, int64_t rows, float* y, ThreadPool& pool) {
  pool.parallel_for(rows, kGrainElements, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) y[r] = static_cast<float>(indices[r]);
  });
}

void sinusoid(const int32_t* indices, int64_t rows, int64_t offset, const float* frequencies, int64_t n, float* y,
              ThreadPool& pool) {
  // A sine costs about as much as copying 16 elements.
  pool.parallel_for(rows, row_grain(n, 32), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t i = 0; i < n; ++i) {
        const float angle = static_cast<float>(indices[r] + offset) * frequencies[i];
        y[r * 2 * n + i] = std::sin(angle);
        y[r * 2 * n + n + i] = std::cos(angle);
      }
  });
}

void sum_rows(const float* x, int64_t rows, int64_t n, float* y, ThreadPool& pool) {
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      float sum = 0;
      for (int64_t i = 0; i < n; ++i) sum += x[r * n + i];
      y[r] = sum;
    }
  });
}

void add_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool) {
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t i = 0; i < n; ++i) y[r * n + i] = x[r * n + i] + column[r];
  });
}

void div(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool) {
  pool.parallel_for(count, kGrainElements, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = a[i] / b[i];
  });
}

void div_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool) {
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t i = 0; i < n; ++i) y[r * n + i] = x[r * n + i] / row[i];
  });
}

void div_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool) {
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t i = 0; i < n; ++i) y[r * n + i] = x[r * n + i] / column[r];
  });
}

void gather_columns(const float* x, const int32_t* places, int64_t rows, int64_t n, int64_t k, float* y,
                    ThreadPool& pool) {
  pool.parallel_for(k, row_grain(rows), [&](int64_t begin, int64_t end) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = begin; i < end; ++i) y[r * k + i] = x[r * n + places[i]];
  });
}

void take(const float* x, const int32_t* indices, int64_t rows, int64_t n, int64_t k, float* y, ThreadPool& pool) {
  pool.parallel_for(rows, row_grain(k), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t i = 0; i < k; ++i) y[r * k + i] = x[r * n + indices[r * k + i]];
  });
}

}  // namespace cleave::kernels
