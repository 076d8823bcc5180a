#include "kernels/rows/centered_conv.h"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

TEST(CenteredConv, SumsTheValuesAroundEachTokenOfItsSequence) {
  constexpr int64_t kHeads = 3, kDims = 4, kWidth = 5, kTokens = 19;
  const std::vector<SequenceSpan> spans = {{0, 2, 0, nullptr}, {2, 1, 0, nullptr}, {3, 16, 0, nullptr}};
  const std::vector<float> x = random_floats(kTokens * kHeads * kDims, 1), w = random_floats(kHeads * kWidth, 2);
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    std::vector<float> y(x.size());
    centered_conv(x.data(), spans, kHeads, kDims, kWidth, w.data(), y.data(), pool);
    for (const SequenceSpan& span : spans)
      for (int64_t t = span.first_row; t < span.first_row + span.num_rows; ++t)
        for (int64_t i = 0; i < kHeads * kDims; ++i) {
          double sum = 0;
          for (int64_t j = 0; j < kWidth; ++j) {
            const int64_t from = t + j - kWidth / 2;
            if (from < span.first_row || from >= span.first_row + span.num_rows) continue;
            sum += static_cast<double>(w[static_cast<size_t>(i / kDims * kWidth + j)]) *
                   x[static_cast<size_t>(from * kHeads * kDims + i)];
          }
          ASSERT_NEAR(y[static_cast<size_t>(t * kHeads * kDims + i)], sum, 1e-5) << "token " << t << " column " << i;
        }
  }
}

}  // namespace
}  // namespace cleave::kernels
