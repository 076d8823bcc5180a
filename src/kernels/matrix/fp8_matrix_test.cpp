// Weights of FP8_G128, which lie in panels.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/matrix/pack.h"
#include "kernels/matrix/panel_product.h"
#include "kernels/testing/matrices.h"

namespace cleave::kernels {
namespace {

class Fp8MatrixOn : public testing::TestWithParam<Isa> {
 protected:
  ThreadPool pool_{3};
};

// Few rows are not rounded; many are rounded to bf16 where the processor multiplies that.
TEST_P(Fp8MatrixOn, Fp8ProductsMatchReferenceForEveryTail) {
  for (const int64_t n : {1, 15, 64, 65, 200})
    for (const int64_t k : {128, 384, 2304}) {
      const Stored stored = random_blocks(DType::FP8_G128, n, k, static_cast<uint32_t>(n + k));
      const auto matrix = stored.pack(PackOptions{.isa = GetParam()}, pool_);
      for (const int64_t m : {1, 2, 3, 4, 7, 13, 24, 40}) {
        const auto x = random_floats(m * k, static_cast<uint32_t>(m));
        const bool rounds = bf16_panel_kernel(GetParam()) && m >= 4;
        EXPECT_LT(relative_error(multiply(*matrix, x, m, pool_), reference_product(stored, x, m)),
                  rounds ? 1.5e-2 : 1e-5)
            << matrix->kind() << " m " << m << " n " << n << " k " << k;
      }
    }
}

TEST_P(Fp8MatrixOn, Fp8CodesThatStandForNoNumberGiveNone) {
  Stored stored = random_blocks(DType::FP8_G128, 70, 256, 40);
  stored.bytes[1 + 132 * 2 + 4 + 17] = std::byte{0xff};  // row 1, the first block
  const auto y = multiply(*stored.pack(PackOptions{.isa = GetParam()}, pool_), random_floats(256, 41), 1, pool_);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(std::isnan(y[i]), i == 1) << i;
}

INSTANTIATE_TEST_SUITE_P(Isas, Fp8MatrixOn, testing::ValuesIn(available_isas()));

}  // namespace
}  // namespace cleave::kernels
