#include "kernels/recurrent/recurrent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "kernels/reference/reference.h"
#include "kernels/testing/values.h"

namespace cleave::kernels {
namespace {

constexpr int64_t kLengths[] = {23, 1, 40};  // of three sequences that share steps
constexpr int64_t kSlots[] = {2, 0, 3};
constexpr int64_t kNumSlots = 4;

// What one step computes: given the spans, where its inputs' rows lie in the sequences and where results go.
using Step = FunctionRef<void(std::span<const SequenceSpan> spans, const std::vector<int64_t>& rows)>;

// Feeds all sequences in steps of up to `chunk` tokens each; rows[i] is the row, sequence after sequence, that the
// step's row i stands for.
void feed(int64_t chunk, Step step) {
  const int64_t longest = *std::max_element(std::begin(kLengths), std::end(kLengths));
  for (int64_t start = 0; start < longest; start += chunk) {
    std::vector<SequenceSpan> spans;
    std::vector<int64_t> rows;
    int64_t before = 0;
    for (size_t s = 0; s < std::size(kLengths); ++s) {
      const int64_t count = std::clamp<int64_t>(kLengths[s] - start, 0, chunk);
      if (count > 0) spans.push_back({static_cast<int64_t>(rows.size()), count, start, nullptr, kSlots[s]});
      for (int64_t i = 0; i < count; ++i) rows.push_back(before + start + i);
      before += kLengths[s];
    }
    step(spans, rows);
  }
}

constexpr int64_t kRows = 23 + 1 + 40;

std::vector<float> gather(const std::vector<float>& x, const std::vector<int64_t>& rows) {
  const auto n = static_cast<int64_t>(x.size()) / kRows;
  std::vector<float> y;
  for (const int64_t row : rows) y.insert(y.end(), x.begin() + row * n, x.begin() + (row + 1) * n);
  return y;
}

void scatter(const std::vector<float>& y, const std::vector<int64_t>& rows, std::vector<float>& x) {
  const size_t n = x.size() / kRows;
  for (size_t i = 0; i < rows.size(); ++i)
    std::copy_n(y.begin() + static_cast<long>(i * n), n, x.begin() + rows[i] * static_cast<int64_t>(n));
}

// Calls f(first row, number of rows) for every sequence.
template <class F>
void each_sequence(F f) {
  int64_t before = 0;
  for (const int64_t length : kLengths) {
    f(before, length);
    before += length;
  }
}

// States that hold what an earlier sequence left behind.
std::vector<float> used_states(int64_t size) {
  return random_floats(size * kNumSlots, 99, 10);
}

class Recurrent : public testing::TestWithParam<Isa> {
 protected:
  // Checks results of steps of every size against `wanted`, and that they are the same bits.
  static void check(const std::vector<std::vector<float>>& results, const std::vector<float>& wanted,
                    const std::string& what) {
    for (const std::vector<float>& result : results) {
      EXPECT_LT(relative_error(result, wanted), 3e-6) << what;
      EXPECT_EQ(std::memcmp(result.data(), results[0].data(), result.size() * sizeof(float)), 0) << what;
    }
  }

  ThreadPool pool_{3};
};

constexpr int64_t kChunks[] = {100, 1, 2, 3, 7};

TEST_P(Recurrent, CausalConvMatchesReferenceHoweverSequencesAreCutUp) {
  for (const std::pair<int64_t, int64_t> sizes : {std::pair{1, 2}, {19, 4}, {64, 3}, {150, 4}, {16, 1}}) {
    const int64_t channels = sizes.first, width = sizes.second;
    const std::vector<float> x = random_floats(kRows * channels, 1), w = random_floats(width * channels, 2);
    std::vector<float> wanted(x.size());
    each_sequence([&](int64_t first, int64_t rows) {
      reference::causal_conv(x.data() + first * channels, rows, channels, width, w.data(),
                             wanted.data() + first * channels);
    });
    std::vector<std::vector<float>> results;
    for (const int64_t chunk : kChunks) {
      const int64_t size = channels * (width - 1);
      std::vector<float> states = used_states(size), result(x.size());
      feed(chunk, [&](std::span<const SequenceSpan> spans, const std::vector<int64_t>& rows) {
        const std::vector<float> part = gather(x, rows);
        std::vector<float> y(part.size());
        causal_conv(part.data(), spans, {channels, width, w.data()}, {states.data(), size}, y.data(), pool_,
                    GetParam());
        scatter(y, rows, result);
      });
      results.push_back(result);
    }
    check(results, wanted, std::to_string(channels) + " channels");
  }
}

struct AttentionCase {
  const char* name;
  LinearAttentionParams params;
  bool rate;
};

TEST_P(Recurrent, LinearAttentionMatchesReferenceHoweverSequencesAreCutUp) {
  const AttentionCase cases[] = {
      {"mamba", {70, 1, 70, 0, 16, 1, nullptr, 16, false}, true},
      {"mamba without its own decay per row", {33, 1, 33, 0, 5, 1, nullptr, 1, false}, true},
      {"mamba 2", {6, 2, 3, 0, 16, 32, nullptr, 1, false}, true},
      {"lightning", {6, 6, 1, 0, 8, 8, nullptr, 1, false}, false},
      {"gated delta rule", {6, 3, 2, 0, 8, 24, nullptr, 1, true}, true},
      {"delta rule without rate", {4, 4, 1, 0, 7, 19, nullptr, 1, true}, false},
      {"a decay for each row and columns", {4, 2, 2, 0, 9, 5, nullptr, 9, false}, true},
      {"a part of the heads", {5, 2, 4, 2, 8, 16, nullptr, 1, false}, true},
      {"one number per head but several keys", {6, 3, 2, 0, 4, 1, nullptr, 4, false}, true},
  };
  for (AttentionCase c : cases) {
    LinearAttentionParams& p = c.params;
    const std::vector<float> q = random_floats(kRows * p.key_heads * p.n, 1),
                             k = random_floats(kRows * p.key_heads * p.n, 2, 0.3f),
                             v = random_floats(kRows * p.heads * p.p, 3);
    std::vector<float> rate = random_floats(kRows * p.heads, 4), beta = random_floats(kRows * p.heads, 5),
                       a = random_floats(p.heads * p.a_size, 6);
    for (float& x : rate) x = std::fabs(x) * 0.2f;
    for (float& x : beta) x = 1 / (1 + std::exp(x));
    for (float& x : a) x = -std::fabs(x);
    p.a = a.data();
    const auto input = [&](const float* q_at, const float* k_at, const float* v_at, const float* rate_at,
                           const float* beta_at) {
      return LinearAttentionInput{q_at, k_at, v_at, c.rate ? rate_at : nullptr, p.delta ? beta_at : nullptr};
    };
    std::vector<float> wanted(v.size());
    each_sequence([&](int64_t first, int64_t rows) {
      const int64_t key = first * p.key_heads * p.n, head = first * p.heads;
      reference::linear_attention(
          input(q.data() + key, k.data() + key, v.data() + head * p.p, rate.data() + head, beta.data() + head), rows, p,
          wanted.data() + head * p.p);
    });
    std::vector<std::vector<float>> results;
    for (const int64_t chunk : kChunks) {
      const int64_t size = p.heads * p.n * p.p;
      std::vector<float> states = used_states(size), result(v.size());
      feed(chunk, [&](std::span<const SequenceSpan> spans, const std::vector<int64_t>& rows) {
        const std::vector<float> part_q = gather(q, rows), part_k = gather(k, rows), part_v = gather(v, rows),
                                 part_rate = gather(rate, rows), part_beta = gather(beta, rows);
        std::vector<float> y(part_v.size());
        linear_attention(input(part_q.data(), part_k.data(), part_v.data(), part_rate.data(), part_beta.data()), spans,
                         p, {states.data(), size}, y.data(), pool_, GetParam());
        scatter(y, rows, result);
      });
      results.push_back(result);
    }
    check(results, wanted, c.name);
  }
}

TEST_P(Recurrent, LinearRecurrenceMatchesReferenceHoweverSequencesAreCutUp) {
  for (const int64_t channels : {1, 17, 64, 200}) {
    std::vector<float> a = random_floats(kRows * channels, 1);
    const std::vector<float> b = random_floats(kRows * channels, 2);
    for (float& x : a) x = 1 / (1 + std::exp(x));
    std::vector<float> wanted(a.size());
    each_sequence([&](int64_t first, int64_t rows) {
      const int64_t at = first * channels;
      reference::linear_recurrence(a.data() + at, b.data() + at, rows, channels, wanted.data() + at);
    });
    std::vector<std::vector<float>> results;
    for (const int64_t chunk : kChunks) {
      std::vector<float> states = used_states(channels), result(a.size());
      feed(chunk, [&](std::span<const SequenceSpan> spans, const std::vector<int64_t>& rows) {
        const std::vector<float> part_a = gather(a, rows), part_b = gather(b, rows);
        std::vector<float> y(part_a.size());
        linear_recurrence(part_a.data(), part_b.data(), spans, channels, {states.data(), channels}, y.data(), pool_,
                          GetParam());
        scatter(y, rows, result);
      });
      results.push_back(result);
    }
    check(results, wanted, std::to_string(channels) + " channels");
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, Recurrent, testing::ValuesIn(available_isas()));

}  // namespace
}  // namespace cleave::kernels
