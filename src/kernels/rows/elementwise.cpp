#include "kernels/rows/elementwise.h"

#include "kernels/simd/table.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {

void add(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(count, kGrainElements,
                    [&](int64_t begin, int64_t end) { table.add(a + begin, b + begin, end - begin, y + begin); });
}

void mul(const float* a, const float* b, int64_t count, float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(count, kGrainElements,
                    [&](int64_t begin, int64_t end) { table.mul(a + begin, b + begin, end - begin, y + begin); });
}

void add_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) table.add(x + r * n, row, n, y + r * n);
  });
}

void mul_row(const float* x, const float* row, int64_t rows, int64_t n, float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) table.mul(x + r * n, row, n, y + r * n);
  });
}

void mul_column(const float* x, const float* column, int64_t rows, int64_t n, float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(rows, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) table.scale(x + r * n, column[r], n, y + r * n);
  });
}

void scale(const float* x, float factor, int64_t count, float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  pool.parallel_for(count, kGrainElements,
                    [&](int64_t begin, int64_t end) { table.scale(x + begin, factor, end - begin, y + begin); });
}

// Functions with an exponential cost about four times a copy.
void unary(UnaryKind kind, const float* x, int64_t count, float* y, ThreadPool& pool, Isa isa) {
  const auto function = simd::table(isa).unary[static_cast<size_t>(kind)];
  pool.parallel_for(count, kGrainElements / 4,
                    [&](int64_t begin, int64_t end) { function(x + begin, end - begin, y + begin); });
}

void gate(UnaryKind kind, const float* a, const float* b, int64_t count, float* y, ThreadPool& pool, Isa isa) {
  const auto function = simd::table(isa).gate[static_cast<size_t>(kind)];
  pool.parallel_for(count, kGrainElements / 4,
                    [&](int64_t begin, int64_t end) { function(a + begin, b + begin, end - begin, y + begin); });
}

}  // namespace cleave::kernels
