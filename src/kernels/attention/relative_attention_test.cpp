#include "kernels/attention/relative_attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/buffer.h"
#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

constexpr int64_t kHeads = 3, kDims = 7, kValueDims = 5, kRows = 6, kTokens = 31;
constexpr int64_t kReach = 2;  // distances beyond it are as far

struct Setting {
  bool position_keys = false, position_queries = false;
  int64_t angle_power = 0;
};

class RelativeAttention : public testing::TestWithParam<int> {
 protected:
  const std::vector<float> q_ = random_floats(kTokens * kHeads * kDims, 1),
                           k_ = random_floats(kTokens * kHeads * kDims, 2),
                           v_ = random_floats(kTokens * kHeads * kValueDims, 3),
                           to_keys_ = random_floats(kRows * kHeads * kDims, 4),
                           to_queries_ = random_floats(kRows * kHeads * kDims, 5);
  const std::vector<int32_t> rows_ = {5, 1, 0, 4, 2};
  const std::vector<SequenceSpan> spans_ = {{0, 17, 0, nullptr}, {17, 1, 0, nullptr}, {18, 13, 0, nullptr}};

  static double dot(const float* a, const float* b) {
    double sum = 0;
    for (int64_t d = 0; d < kDims; ++d) sum += static_cast<double>(a[d]) * b[d];
    return sum;
  }

  double score(const Setting& s, int64_t query, int64_t key, int64_t head) const {
    const float* q = q_.data() + (query * kHeads + head) * kDims;
    const float* k = k_.data() + (key * kHeads + head) * kDims;
    const int64_t row = rows_[static_cast<size_t>(kReach + std::clamp(key - query, -kReach, kReach))];
    double sum = dot(q, k);
    if (s.position_keys) sum += dot(q, to_keys_.data() + (row * kHeads + head) * kDims);
    if (s.position_queries) sum += dot(k, to_queries_.data() + (row * kHeads + head) * kDims);
    return 0.3 * sum;
  }

  // In double, as the header says it.
  std::vector<double> wanted(const Setting& s, const SequenceSpan& span, int64_t query, int64_t head) const {
    std::vector<double> sums(kValueDims);
    double total = 0;
    for (int64_t key = span.first_row; key < span.first_row + span.num_rows; ++key) {
      const double x = score(s, query, key, head);
      const double weight = s.angle_power > 0 ? std::pow(1 - std::acos(std::clamp(x, -1.0, 1.0)) / M_PI,
                                                         static_cast<double>(s.angle_power))
                                              : std::exp(x);
      total += weight;
      for (int64_t d = 0; d < kValueDims; ++d)
        sums[static_cast<size_t>(d)] +=
            weight * static_cast<double>(v_[static_cast<size_t>((key * kHeads + head) * kValueDims + d)]);
    }
    if (s.angle_power == 0)
      for (double& sum : sums) sum /= total;
    return sums;
  }

  void check(const Setting& s) {
    RelativeAttentionParams params{kHeads, kDims, kValueDims, 0.3f, s.angle_power};
    params.num_rows = kRows;
    params.rows = rows_;
    if (s.position_keys) params.position_keys = to_keys_.data();
    if (s.position_queries) params.position_queries = to_queries_.data();
    ThreadPool pool(GetParam());
    Buffer scratch(relative_attention_scratch_bytes(params, 17, pool.size()));
    std::vector<float> out(v_.size());
    relative_attention(q_.data(), k_.data(), v_.data(), spans_, params, out.data(), scratch.bytes(), pool);
    for (const SequenceSpan& span : spans_)
      for (int64_t query = span.first_row; query < span.first_row + span.num_rows; ++query)
        for (int64_t head = 0; head < kHeads; ++head) {
          const std::vector<double> sums = wanted(s, span, query, head);
          for (int64_t d = 0; d < kValueDims; ++d)
            ASSERT_NEAR(out[static_cast<size_t>((query * kHeads + head) * kValueDims + d)],
                        sums[static_cast<size_t>(d)], 2e-4)
                << "query " << query << " head " << head;
        }
  }
};

TEST_P(RelativeAttention, AddsWhatTablesHaveByDistance) {
  check({});
  check({.position_keys = true});
  check({.position_queries = true});
  check({.position_keys = true, .position_queries = true});
}

TEST_P(RelativeAttention, WeighsByPowersOfAngles) {
  check({.angle_power = 1});
  check({.angle_power = 9});
}

INSTANTIATE_TEST_SUITE_P(Threads, RelativeAttention, testing::Values(1, 3));

}  // namespace
}  // namespace cleave::kernels
