#pragma once

#include <cstdint>

namespace cleave::kernels {

struct CausalConvParams {
  int64_t channels;
  int64_t width;
  const float* weight;  // [width, channels]
};

inline constexpr int64_t kMaxDecays = 1024;
struct LinearAttentionParams {
  int64_t heads, key_heads;
  int64_t group, first_head;  // heads that share a key head; of the first key head's group, those before the first here
  int64_t n, p;
  const float* a;  // [heads, a_size], or [a_size, heads] where uses_channels()
  int64_t a_size;  // 1 or n, at most kMaxDecays
  bool delta;
};

/// Whether heads of one number that share their key (Mamba's channels) are worked on side by side.
inline bool uses_channels(const LinearAttentionParams& params) {
  return params.p == 1 && params.key_heads == 1 && !params.delta;
}

struct LinearAttentionInput {
  const float* q;     // [T, key_heads, n]
  const float* k;     // [T, key_heads, n]
  const float* v;     // [T, heads, p]
  const float* rate;  // [T, heads] or null
  const float* beta;  // [T, heads]; null without delta
};

}  // namespace cleave::kernels
