#pragma once

#include <cstdint>

#include "kernels/params/attention_params.h"
#include "kernels/params/recurrent_params.h"
#include "kernels/params/rope_params.h"
#include "kernels/params/unary_kind.h"

/// The operations of src/kernels as plain loops on one thread, with sums in double: the standard that every instruction
/// set is tested against. Shapes and meanings are those of the functions of the same names in the other folders.
namespace cleave::kernels::reference {

/// The product of a linear: y[m, n] = x[m, k] * w[n, k]^T.
void matmul(const float* x, const float* w, int64_t m, int64_t n, int64_t k, float* y);

void rms_norm(const float* x, const float* weight, float weight_offset, float eps, int64_t rows, int64_t n, float* y);
void layer_norm(const float* x, const float* weight, const float* bias, float eps, int64_t rows, int64_t n, float* y);

float unary(UnaryKind kind, float x);

void softmax(const float* x, int64_t rows, int64_t n, float* y);

void rope(const float* x, int64_t rows, const RopeParams& params, const float* cos, const float* sin, float* y);

/// Queries of one sequence, and its keys and values by position, without blocks. The queries stand at the last `rows`
/// positions.
struct AttentionInput {
  const float* q;       // [rows, q_heads, key_dim]
  const float* keys;    // [length, kv_heads, key_dim]
  const float* values;  // [length, kv_heads, value_dim]
  int64_t rows;
  int64_t length;
  int64_t kv_heads;
  int64_t key_dim;
  int64_t value_dim;
};
void attention(const AttentionInput& input, const AttentionParams& params, float* out);

// Recurrent operations on one sequence of `rows` rows, from its start.

void causal_conv(const float* x, int64_t rows, int64_t channels, int64_t width, const float* weight, float* y);
void linear_attention(const LinearAttentionInput& input, int64_t rows, const LinearAttentionParams& params, float* out);
void linear_recurrence(const float* a, const float* b, int64_t rows, int64_t channels, float* y);

}  // namespace cleave::kernels::reference
