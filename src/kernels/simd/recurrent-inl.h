// Operations that carry a state along the rows of one sequence. Channels lie along a vector, or the p columns of a
// head's state.
#pragma once

#include "kernels/params/recurrent_params.h"
#include "kernels/simd/vector-inl.h"

namespace cleave::kernels::simd {
namespace {

// The lanes from `p` on, all or the first `count` of them.
struct Lanes {
  int64_t count;

  CLEAVE_INLINE F32 get(const float* p) const { return count == kLanes ? load(p) : load_part(p, count); }
  CLEAVE_INLINE void put(float* p, F32 v) const {
    if (count == kLanes)
      store(p, v);
    else
      store_part(p, v, count);
  }
};

// Calls f(offset, lanes) for vectors that cover [first, last).
template <class F>
CLEAVE_INLINE void for_lanes(int64_t first, int64_t last, F f) {
  int64_t i = first;
  for (; i + kLanes <= last; i += kLanes) f(i, Lanes{kLanes});
  if (i < last) f(i, Lanes{last - i});
}

// Channels [first, last) of kernels::causal_conv.
void causal_conv(const float* x, int64_t rows, const CausalConvParams& params, int64_t first, int64_t last,
                 float* state, float* y) {
  const int64_t n = params.channels, kept = params.width - 1;
  for (int64_t t = 0; t < rows; ++t)
    for_lanes(first, last, [&](int64_t c, Lanes lanes) {
      F32 sum = {};
      for (int64_t j = 0; j <= kept; ++j) {
        const int64_t from = t - kept + j;
        const float* row = from < 0 ? state + (kept + from) * n : x + from * n;
        sum += lanes.get(params.weight + j * n + c) * lanes.get(row + c);
      }
      lanes.put(y + t * n + c, sum);
    });
  // Keeps the last `kept` of the rows of the old state followed by those of x. Rows move towards the front, so that
  // none is overwritten before it is read.
  for (int64_t j = 0; j < kept; ++j) {
    const int64_t from = rows - kept + j;
    const float* row = from < 0 ? state + (kept + from) * n : x + from * n;
    for_lanes(first, last, [&](int64_t c, Lanes lanes) { lanes.put(state + j * n + c, lanes.get(row + c)); });
  }
}

// Heads [first, last) of kernels::linear_attention, whose values have one number each; state [n, heads].
void linear_attention_channels(const LinearAttentionInput& input, int64_t rows, const LinearAttentionParams& params,
                               int64_t first, int64_t last, float* state, float* out) {
  const int64_t heads = params.heads;
  for (int64_t t = 0; t < rows; ++t) {
    const float* q = input.q + t * params.n;
    const float* k = input.k + t * params.n;
    for_lanes(first, last, [&](int64_t c, Lanes lanes) {
      const F32 v = lanes.get(input.v + t * heads + c);
      const F32 rate = input.rate == nullptr ? set(1) : lanes.get(input.rate + t * heads + c);
      F32 sum = {}, decay = {};
      for (int64_t i = 0; i < params.n; ++i) {
        if (i < params.a_size) decay = exp(rate * lanes.get(params.a + i * heads + c));
        const F32 s = lanes.get(state + i * heads + c) * decay + k[i] * v;
        lanes.put(state + i * heads + c, s);
        sum += q[i] * s;
      }
      lanes.put(out + t * heads + c, sum);
    });
  }
}

// A row of one head: decays the state, adds the outer product of k and u, and reads it with q. kEach: `decay` has a
// factor for each row of the state, else one for all.
template <bool kEach>
CLEAVE_INLINE void attend_row(const float* q, const float* k, const float* v, const float* beta, const float* decay,
                              int64_t n, int64_t p, float* state, float* out) {
  for_lanes(0, p, [&](int64_t c, Lanes lanes) {
    F32 u = lanes.get(v + c);
    if (beta != nullptr) {
      F32 known = {};
      for (int64_t i = 0; i < n; ++i) known += k[i] * (lanes.get(state + i * p + c) * decay[kEach ? i : 0]);
      u = *beta * (u - known);
    }
    F32 sum = {};
    for (int64_t i = 0; i < n; ++i) {
      const F32 s = lanes.get(state + i * p + c) * decay[kEach ? i : 0] + k[i] * u;
      lanes.put(state + i * p + c, s);
      sum += q[i] * s;
    }
    lanes.put(out + c, sum);
  });
}

// One head of kernels::linear_attention. The input's pointers stand at the head; `a` and the state [n, p] are the
// head's.
void linear_attention_head(const LinearAttentionInput& input, int64_t rows, const LinearAttentionParams& params,
                           const float* a, float* state, float* out) {
  float decay[kMaxDecays];
  const int64_t n = params.n, p = params.p, heads = params.heads;
  for (int64_t t = 0; t < rows; ++t) {
    const float rate = input.rate == nullptr ? 1.0f : input.rate[t * heads];
    const float* q = input.q + t * params.key_heads * n;
    const float* k = input.k + t * params.key_heads * n;
    const float* v = input.v + t * heads * p;
    const float* beta = input.beta == nullptr ? nullptr : input.beta + t * heads;
    for_lanes(0, params.a_size, [&](int64_t i, Lanes lanes) { lanes.put(decay + i, exp(rate * lanes.get(a + i))); });
    if (params.a_size == 1)
      attend_row<false>(q, k, v, beta, decay, n, p, state, out + t * heads * p);
    else
      attend_row<true>(q, k, v, beta, decay, n, p, state, out + t * heads * p);
  }
}

// Channels [first, last) of kernels::linear_recurrence.
void linear_recurrence(const float* a, const float* b, int64_t rows, int64_t channels, int64_t first, int64_t last,
                       float* state, float* y) {
  for_lanes(first, last, [&](int64_t c, Lanes lanes) {
    F32 h = lanes.get(state + c);
    for (int64_t t = 0; t < rows; ++t) {
      h = lanes.get(a + t * channels + c) * h + lanes.get(b + t * channels + c);
      lanes.put(y + t * channels + c, h);
    }
    lanes.put(state + c, h);
  });
}

}  // namespace
}  // namespace cleave::kernels::simd
