#include "kernels/recurrent/recurrent.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/simd/table.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Channels of a task: whole cache lines, so that tasks share none.
constexpr int64_t kChannels = 64;

// Calls f(first, last, span) for every tile of channels of every sequence. Neighbouring tasks are of different
// sequences, so that long and short ones spread evenly over the threads.
template <class F>
void for_channels(std::span<const SequenceSpan> spans, int64_t channels, int64_t cost, ThreadPool& pool, F f) {
  const auto count = static_cast<int64_t>(spans.size());
  int64_t rows = 0;
  for (const SequenceSpan& span : spans) rows += span.num_rows;
  const int64_t tiles = (channels + kChannels - 1) / kChannels;
  const int64_t per_task = kChannels * cost * rows / std::max<int64_t>(1, count);
  pool.parallel_for(tiles * count, row_grain(per_task), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t first = task / count * kChannels;
      f(first, std::min(channels, first + kChannels), spans[static_cast<size_t>(task % count)]);
    }
  });
}

// Zeroes columns [first, last) of a state of `rows` rows of `stride` numbers.
void clear(float* state, int64_t rows, int64_t stride, int64_t first, int64_t last) {
  for (int64_t row = 0; row < rows; ++row) std::fill(state + row * stride + first, state + row * stride + last, 0.0f);
}

void attend_channels(const LinearAttentionInput& input, std::span<const SequenceSpan> spans,
                     const LinearAttentionParams& params, States states, float* out, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  // An exponential costs about as much as four other operations.
  for_channels(spans, params.heads, params.n * 5, pool, [&](int64_t first, int64_t last, const SequenceSpan& span) {
    if (span.start_position == 0) clear(states.of(span), params.n, params.heads, first, last);
    const int64_t row = span.first_row, at = row * params.heads;
    const LinearAttentionInput rows{input.q + row * params.n, input.k + row * params.n, input.v + at,
                                    input.rate == nullptr ? nullptr : input.rate + at, nullptr};
    table.linear_attention_channels(rows, span.num_rows, params, first, last, states.of(span), out + at);
  });
}

void attend_heads(const LinearAttentionInput& input, std::span<const SequenceSpan> spans,
                  const LinearAttentionParams& params, States states, float* out, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  const auto count = static_cast<int64_t>(spans.size());
  pool.parallel_for(params.heads * count, row_grain(params.n * params.p * 2), [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const SequenceSpan& span = spans[static_cast<size_t>(task % count)];
      const int64_t head = task / count, row = span.first_row;
      const int64_t key = (row * params.key_heads + (head + params.first_head) / params.group) * params.n;
      const int64_t at = row * params.heads + head;
      float* state = states.of(span) + head * params.n * params.p;
      if (span.start_position == 0) clear(state, params.n, params.p, 0, params.p);
      const LinearAttentionInput rows{input.q + key, input.k + key, input.v + at * params.p,
                                      input.rate == nullptr ? nullptr : input.rate + at,
                                      input.beta == nullptr ? nullptr : input.beta + at};
      table.linear_attention_head(rows, span.num_rows, params, params.a + head * params.a_size, state,
                                  out + at * params.p);
    }
  });
}

}  // namespace

void causal_conv(const float* x, std::span<const SequenceSpan> spans, const CausalConvParams& params, States states,
                 float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  const int64_t channels = params.channels;
  for_channels(spans, channels, params.width, pool, [&](int64_t first, int64_t last, const SequenceSpan& span) {
    float* state = states.of(span);
    if (span.start_position == 0) clear(state, params.width - 1, channels, first, last);
    const int64_t at = span.first_row * channels;
    table.causal_conv(x + at, span.num_rows, params, first, last, state, y + at);
  });
}

void linear_attention(const LinearAttentionInput& input, std::span<const SequenceSpan> spans,
                      const LinearAttentionParams& params, States states, float* out, ThreadPool& pool, Isa isa) {
  CHECK_LE(params.first_head + params.heads, params.key_heads * params.group);
  CHECK(params.a_size == 1 || params.a_size == params.n);
  CHECK_LE(params.a_size, kMaxDecays);
  CHECK(params.delta == (input.beta != nullptr));
  (uses_channels(params) ? attend_channels : attend_heads)(input, spans, params, states, out, pool, isa);
}

void linear_recurrence(const float* a, const float* b, std::span<const SequenceSpan> spans, int64_t channels,
                       States states, float* y, ThreadPool& pool, Isa isa) {
  const simd::Table& table = simd::table(isa);
  for_channels(spans, channels, 1, pool, [&](int64_t first, int64_t last, const SequenceSpan& span) {
    float* state = states.of(span);
    if (span.start_position == 0) clear(state, 1, channels, first, last);
    const int64_t at = span.first_row * channels;
    table.linear_recurrence(a + at, b + at, span.num_rows, channels, first, last, state, y + at);
  });
}

}  // namespace cleave::kernels
