#pragma once

#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/params/recurrent_params.h"
#include "kernels/params/sequence_span.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

// Operations that carry a state along a sequence, from step to step. Each sequence has a slot for its states. A
// sequence whose span starts at position 0 starts from a state of zeros, whatever its slot holds. Results do not depend
// on how a sequence is cut into steps or on what else a step computes.

/// States of one operation for all slots, borrowed: slot s has numbers[s * size ... (s + 1) * size).
struct States {
  float* numbers;
  int64_t size;

  float* of(const SequenceSpan& span) const { return numbers + span.slot * size; }
};

/// A convolution of each channel along the sequence, rows of its earlier steps included:
///   y[t, c] = sum over j in [0, width) of weight[j, c] * x[t - (width - 1) + j, c]
/// State: the last width - 1 rows of x, [width - 1, channels]. REQUIRES: y is not x.
void causal_conv(const float* x, std::span<const SequenceSpan> spans, const CausalConvParams& params, States states,
                 float* y, ThreadPool& pool, Isa isa = best_isa());

/// Linear attention: each head h, which reads key head (h + first_head) / group, has a state S of [n, p], and each row
/// t of its sequence changes the state and reads it:
///   S = exp(rate[t, h] * a[h]) * S            decay; each row of S has its own a if a_size is n
///   u = v[t, h]                               without the delta rule
///   u = beta[t, h] * (v[t, h] - k[t] S)       with the delta rule
///   S = S + k[t]^T u
///   out[t, h] = q[t] S
/// State: [heads, n, p], or [n, heads] if uses_channels(). Gu and Dao, "Mamba", 2023; Dao and Gu, "Transformers are
/// SSMs", 2024; Yang et al., "Gated Delta Networks", 2024.
void linear_attention(const LinearAttentionInput& input, std::span<const SequenceSpan> spans,
                      const LinearAttentionParams& params, States states, float* out, ThreadPool& pool,
                      Isa isa = best_isa());

/// A linear recurrence of each channel: y[t, c] = a[t, c] * y[t - 1, c] + b[t, c]. State: the last row of y,
/// [channels]. y may be a or b.
void linear_recurrence(const float* a, const float* b, std::span<const SequenceSpan> spans, int64_t channels,
                       States states, float* y, ThreadPool& pool, Isa isa = best_isa());

}  // namespace cleave::kernels
