#pragma once

#include <cstdint>
#include <span>

#include "base/thread_pool.h"
#include "kernels/params/recurrent_params.h"
#include "kernels/params/sequence_span.h"
#include "kernels/simd/isa.h"

namespace cleave::kernels {

// Operations that carry a state along a sequence. Each sequence of a step has a slot; the state of slot s begins at
// states + s * state_size(). A sequence whose span starts at position 0 starts from a state of zeros, whatever the slot
// holds. Results do not depend on how a sequence is cut into steps or on what else a step computes.

/// States of one operation for all slots, borrowed; `size` numbers a slot.
struct States {
  float* numbers;
  int64_t size;

  float* of(const SequenceSpan& span) const { return numbers + span.slot * size; }
};

/// y[t, c] = sum over j in [0, width) of weight[j, c] * x[t - (width - 1) + j, c], x of the sequence's earlier steps
/// included. State: the last width - 1 rows of x, [width - 1, channels]. y is not x.
void causal_conv(const float* x, std::span<const SequenceSpan> spans, const CausalConvParams& params, States states,
                 float* y, ThreadPool& pool, Isa isa = best_isa());

/// For every head h, which reads key head (h + first_head) / group, with state S [n, p]:
///   S = exp(rate[t, h] * a[h]) * S              (a per row of S where a_size is n; rate counts as 1 where it is null)
///   u = v, or beta[t, h] * (v - k S)            where beta is given (the delta rule)
///   S = S + k (x) u
///   out[t, h] = q S
/// State: [heads, n, p], or [n, heads] where uses_channels(). Gu and Dao, "Mamba", 2023; Dao and Gu, "Transformers are
/// SSMs", 2024; Yang et al., "Gated Delta Networks", 2024.
void linear_attention(const LinearAttentionInput& input, std::span<const SequenceSpan> spans,
                      const LinearAttentionParams& params, States states, float* out, ThreadPool& pool,
                      Isa isa = best_isa());

/// y[t, c] = a[t, c] * y[t - 1, c] + b[t, c]. State: the last y, [channels]. y may be a or b.
void linear_recurrence(const float* a, const float* b, std::span<const SequenceSpan> spans, int64_t channels,
                       States states, float* y, ThreadPool& pool, Isa isa = best_isa());

}  // namespace cleave::kernels
