#include "kernels/attention/relative_attention.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "base/check.h"

namespace cleave::kernels {
namespace {

/// The memory of a thread, which works on one head of one sequence at a time.
struct Room {
  float* keys;    // [key_dim][length]: products of a query with all keys run along positions
  float* by_row;  // [key_dim][num_rows]: a table of the head
  float* scores;  // [length]
  float* q_rows;  // [num_rows]: the query's products with position keys
  float* k_rows;  // [length][num_rows]: the keys' with position queries

  static int64_t floats(const RelativeAttentionParams& p, int64_t length) {
    return p.key_dim * (length + p.num_rows) + length + p.num_rows + length * p.num_rows;
  }
  Room(const RelativeAttentionParams& p, int64_t length, float* memory)
      : keys(memory),
        by_row(keys + p.key_dim * length),
        scores(by_row + p.key_dim * p.num_rows),
        q_rows(scores + length),
        k_rows(q_rows + p.num_rows) {}
};

// Rounded up, so that threads share no line of the cache.
int64_t floats_of_thread(const RelativeAttentionParams& params, int64_t longest) {
  return (Room::floats(params, longest) + 15) / 16 * 16;
}

// [count][key_dim], `stride` apart, turned into [key_dim][count].
void turn(const float* from, int64_t stride, int64_t count, int64_t dims, float* to) {
  for (int64_t i = 0; i < count; ++i)
    for (int64_t d = 0; d < dims; ++d) to[d * count + i] = from[i * stride + d];
}

// out[i] = factor * the product of x with column i of [dims][count].
void multiply(const float* x, const float* columns, int64_t dims, int64_t count, float factor, float* out) {
  std::fill_n(out, count, 0.0f);
  for (int64_t d = 0; d < dims; ++d) {
    const float number = x[d] * factor;
    const float* column = columns + d * count;
    for (int64_t i = 0; i < count; ++i) out[i] += number * column[i];
  }
}

// Turns scores into weights; gives their divisor.
float weigh(float* scores, int64_t count, int64_t angle_power) {
  if (angle_power > 0) {
    for (int64_t i = 0; i < count; ++i) {
      const float angle = std::acos(std::clamp(scores[i], -1.0f, 1.0f));
      scores[i] = std::pow(1 - angle / static_cast<float>(M_PI), static_cast<float>(angle_power));
    }
    return 1;
  }
  const float largest = *std::max_element(scores, scores + count);
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += scores[i] = std::exp(scores[i] - largest);
  return sum;
}

/// One head of one sequence.
class HeadAttention {
 public:
  HeadAttention(const RelativeAttentionParams& params, const SequenceSpan& span, int64_t head, float* memory)
      : p_(params),
        length_(span.num_rows),
        key_stride_(params.heads * params.key_dim),
        value_stride_(params.heads * params.value_dim),
        key_offset_(span.first_row * key_stride_ + head * params.key_dim),
        value_offset_(span.first_row * value_stride_ + head * params.value_dim),
        table_offset_(head * params.key_dim),
        room_(params, span.num_rows, memory) {}

  void run(const float* q, const float* k, const float* v, float* out) {
    turn(k + key_offset_, key_stride_, length_, p_.key_dim, room_.keys);
    if (p_.position_queries != nullptr) {
      turn(p_.position_queries + table_offset_, key_stride_, p_.num_rows, p_.key_dim, room_.by_row);
      for (int64_t i = 0; i < length_; ++i)
        multiply(k + key_offset_ + i * key_stride_, room_.by_row, p_.key_dim, p_.num_rows, p_.scale,
                 room_.k_rows + i * p_.num_rows);
    }
    if (p_.position_keys != nullptr)
      turn(p_.position_keys + table_offset_, key_stride_, p_.num_rows, p_.key_dim, room_.by_row);
    for (int64_t i = 0; i < length_; ++i) attend(q + key_offset_ + i * key_stride_, i, v, out);
  }

 private:
  void attend(const float* q, int64_t position, const float* v, float* out) {
    multiply(q, room_.keys, p_.key_dim, length_, p_.scale, room_.scores);
    if (p_.position_keys != nullptr) multiply(q, room_.by_row, p_.key_dim, p_.num_rows, p_.scale, room_.q_rows);
    if (!p_.rows.empty()) add_distances(position);
    const float divisor = weigh(room_.scores, length_, p_.angle_power);
    float* y = out + value_offset_ + position * value_stride_;
    std::fill_n(y, p_.value_dim, 0.0f);
    for (int64_t i = 0; i < length_; ++i) {
      const float* value = v + value_offset_ + i * value_stride_;
      for (int64_t d = 0; d < p_.value_dim; ++d) y[d] += room_.scores[i] * value[d];
    }
    for (int64_t d = 0; d < p_.value_dim; ++d) y[d] /= divisor;
  }

  void add_distances(int64_t position) {
    const auto n = static_cast<int64_t>(p_.rows.size() / 2);
    for (int64_t i = 0; i < length_; ++i) {
      const int32_t row = p_.rows[static_cast<size_t>(n + std::clamp(i - position, -n, n))];
      if (p_.position_keys != nullptr) room_.scores[i] += room_.q_rows[row];
      if (p_.position_queries != nullptr) room_.scores[i] += room_.k_rows[i * p_.num_rows + row];
    }
  }

  const RelativeAttentionParams& p_;
  const int64_t length_, key_stride_, value_stride_;
  const int64_t key_offset_, value_offset_, table_offset_;
  const Room room_;
};

}  // namespace

size_t relative_attention_scratch_bytes(const RelativeAttentionParams& params, int64_t longest, int threads) {
  return static_cast<size_t>(threads * floats_of_thread(params, longest)) * sizeof(float);
}

void relative_attention(const float* q, const float* k, const float* v, std::span<const SequenceSpan> spans,
                        const RelativeAttentionParams& params, float* out, std::span<std::byte> scratch,
                        ThreadPool& pool) {
  int64_t longest = 0;
  for (const SequenceSpan& span : spans) longest = std::max(longest, span.num_rows);
  CHECK_GE(scratch.size(), relative_attention_scratch_bytes(params, longest, pool.size()));
  const int64_t floats = floats_of_thread(params, longest);
  const auto tasks = static_cast<int64_t>(spans.size()) * params.heads;
  std::atomic<int64_t> next{0};
  pool.run([&](int thread) {
    float* memory = reinterpret_cast<float*>(scratch.data()) + thread * floats;
    for (int64_t task = next.fetch_add(1); task < tasks; task = next.fetch_add(1))
      HeadAttention(params, spans[static_cast<size_t>(task / params.heads)], task % params.heads, memory)
          .run(q, k, v, out);
  });
}

}  // namespace cleave::kernels
