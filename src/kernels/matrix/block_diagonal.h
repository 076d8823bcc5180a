#pragma once

#include <cstddef>
#include <span>

#include "base/thread_pool.h"
#include "kernels/matrix/matrix.h"

namespace cleave::kernels {

/// Rows of activations that fall into blocks, borrowed: number i of block h in row r is
/// data[r * row_stride + h * block_stride + i].
template <class T>
struct BlockRows {
  T* data;
  int64_t row_stride, block_stride;
};

/// A linear whose weight is zero outside of its diagonal blocks [n, k], all of one shape: y[m, h, n] = x[m, h, k] *
/// blocks[h]^T for each block h. The blocks are shared among the threads, because they are small and many. REQUIRES:
/// scratch is aligned to 64 bytes and holds block_diagonal_scratch_bytes(); x, y and scratch do not overlap.
void block_diagonal(std::span<const Matrix* const> blocks, const float* x, int64_t m, float* y,
                    std::span<std::byte> scratch, ThreadPool& pool, Form form = {});

/// The same with x and y as parts of larger tensors.
void block_diagonal(std::span<const Matrix* const> blocks, const BlockRows<const float>& x, int64_t m,
                    const BlockRows<float>& y, std::span<std::byte> scratch, ThreadPool& pool, Form form = {});

/// Bytes of scratch that block_diagonal() needs for up to `max_m` rows on `threads` threads.
size_t block_diagonal_scratch_bytes(std::span<const Matrix* const> blocks, int64_t max_m, int threads);

}  // namespace cleave::kernels
