#include "kernels/matrix/block_diagonal.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

size_t aligned(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

// Scratch of one thread: rows of x and of y of one block, then the scratch of the product itself.
struct Part {
  size_t x, y, product;
  size_t bytes() const { return x + y + product; }
};

Part part_of(std::span<const Matrix* const> blocks, int64_t m) {
  const Matrix& block = *blocks[0];
  return {aligned(static_cast<size_t>(m * block.k()) * sizeof(float)),
          aligned(static_cast<size_t>(m * block.n()) * sizeof(float)), aligned(block.scratch_bytes(m, 1))};
}

void copy_rows(const float* from, int64_t from_stride, int64_t m, int64_t n, float* to, int64_t to_stride) {
  for (int64_t row = 0; row < m; ++row) std::copy_n(from + row * from_stride, n, to + row * to_stride);
}

}  // namespace

size_t block_diagonal_scratch_bytes(std::span<const Matrix* const> blocks, int64_t max_m, int threads) {
  return part_of(blocks, max_m).bytes() * static_cast<size_t>(threads);
}

void block_diagonal(std::span<const Matrix* const> blocks, const float* x, int64_t m, float* y,
                    std::span<std::byte> scratch, ThreadPool& pool, Form form) {
  const auto count = static_cast<int64_t>(blocks.size());
  const int64_t k = blocks[0]->k(), n = blocks[0]->n();
  block_diagonal(blocks, {x, count * k, k}, m, {y, count * n, n}, scratch, pool, form);
}

void block_diagonal(std::span<const Matrix* const> blocks, const BlockRows<const float>& x, int64_t m,
                    const BlockRows<float>& y, std::span<std::byte> scratch, ThreadPool& pool, Form form) {
  const auto count = static_cast<int64_t>(blocks.size());
  const int64_t k = blocks[0]->k(), n = blocks[0]->n();
  const Part part = part_of(blocks, m);
  CHECK_GE(scratch.size(), part.bytes() * static_cast<size_t>(pool.size()));
  const int64_t per_thread = (count + pool.size() - 1) / pool.size();
  const bool alone = m * k * n * count < 4 * kGrainElements;
  const auto run = [&](int thread, int64_t first, int64_t last) {
    const std::span<std::byte> own = scratch.subspan(part.bytes() * static_cast<size_t>(thread), part.bytes());
    auto* rows = reinterpret_cast<float*>(own.data());
    auto* products = reinterpret_cast<float*>(own.data() + part.x);
    ThreadPool self(1);
    for (int64_t h = first; h < last; ++h) {
      copy_rows(x.data + h * x.block_stride, x.row_stride, m, k, rows, k);
      blocks[static_cast<size_t>(h)]->multiply(rows, m, products, own.subspan(part.x + part.y), self, Prepared::No,
                                               form);
      copy_rows(products, n, m, n, y.data + h * y.block_stride, y.row_stride);
    }
  };
  if (alone) return run(0, 0, count);
  pool.run([&](int thread) {
    const int64_t first = std::min(count, thread * per_thread);
    run(thread, first, std::min(count, first + per_thread));
  });
}

}  // namespace cleave::kernels
