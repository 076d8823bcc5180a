#include "kernels/matrix/block_diagonal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/buffer.h"
#include "kernels/matrix/pack.h"
#include "kernels/reference/reference.h"
#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

struct Blocks {
  std::vector<std::vector<float>> weights;
  std::vector<std::unique_ptr<Matrix>> matrices;
  std::vector<const Matrix*> pointers;
};

Blocks make_blocks(int64_t count, int64_t n, int64_t k, ThreadPool& pool) {
  Blocks blocks;
  for (int64_t h = 0; h < count; ++h) {
    const std::vector<float>& w = blocks.weights.emplace_back(random_floats(n * k, static_cast<uint32_t>(h)));
    const auto row = [&](int64_t index, std::span<std::byte>) {
      return std::as_bytes(std::span(w)).subspan(static_cast<size_t>(index * k) * 4, static_cast<size_t>(k) * 4);
    };
    PackOptions options;
    options.exact = true;
    blocks.matrices.push_back(pack_matrix(DType::F32, n, k, row, options, pool));
    blocks.pointers.push_back(blocks.matrices.back().get());
  }
  return blocks;
}

TEST(BlockDiagonal, MultipliesEveryBlockByItsOwnMatrix) {
  for (const int threads : {1, 3})
    for (const auto& [count, n, k] : {std::tuple<int64_t, int64_t, int64_t>{6, 8, 8}, {1, 5, 3}, {7, 33, 65}})
      for (const int64_t m : {1, 2, 19}) {
        ThreadPool pool(threads);
        const Blocks blocks = make_blocks(count, n, k, pool);
        const std::vector<float> x = random_floats(m * count * k, 77);
        std::vector<float> y(static_cast<size_t>(m * count * n)), wanted = y;
        Buffer scratch(block_diagonal_scratch_bytes(blocks.pointers, m, threads));
        block_diagonal(blocks.pointers, x.data(), m, y.data(), scratch.bytes(), pool);
        for (int64_t row = 0; row < m; ++row)
          for (int64_t h = 0; h < count; ++h)
            reference::matmul(x.data() + (row * count + h) * k, blocks.weights[static_cast<size_t>(h)].data(), 1, n, k,
                              wanted.data() + (row * count + h) * n);
        EXPECT_LT(relative_error(y, wanted), 1e-6) << count << " blocks, " << m << " rows, " << threads << " threads";
      }
}

}  // namespace
}  // namespace cleave::kernels
