#pragma once

#include <cstdint>

namespace cleave::kernels {

/// Options of a causal convolution along a sequence.
struct CausalConvParams {
  int64_t channels;
  int64_t width;        // rows that a result is computed from, its own included
  const float* weight;  // [width, channels]
};

/// Most decays of a head, a_size below: kernels keep so many numbers on the stack.
inline constexpr int64_t kMaxDecays = 1024;

/// Options of linear attention, whose state is a matrix [n, p] for each head.
struct LinearAttentionParams {
  int64_t heads, key_heads;
  int64_t group;       // heads that share a key head
  int64_t first_head;  // heads of the first key head's group that precede head 0, on other ranks
  int64_t n, p;        // numbers of a key, of a value
  const float* a;      // [heads, a_size], or [a_size, heads] if uses_channels()
  int64_t a_size;      // 1 or n, at most kMaxDecays
  bool delta;          // with the delta rule
};

/// Whether heads are worked on side by side, which those can be whose values have one number and that share one key, as
/// Mamba's channels do. States and LinearAttentionParams::a then lie with the heads innermost.
inline bool uses_channels(const LinearAttentionParams& params) {
  return params.p == 1 && params.key_heads == 1 && !params.delta;
}

/// What a step of T rows hands to linear attention.
struct LinearAttentionInput {
  const float* q;     // [T, key_heads, n]
  const float* k;     // [T, key_heads, n]
  const float* v;     // [T, heads, p]
  const float* rate;  // [T, heads]; null stands for ones
  const float* beta;  // [T, heads]; null without the delta rule
};

}  // namespace cleave::kernels
