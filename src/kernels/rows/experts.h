#pragma once

#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

// A mixture of experts, legend: T tokens, K choices (slots) of each token, E experts. The T * K pairs (token, slot) are
// sorted by expert, so that each expert works on one contiguous range of rows.

/// From the choices indices[T, K] makes, for the E experts from `first` on,
///   offsets[E + 1]: the rows of expert first + e are [offsets[e], offsets[e + 1])
///   order[offsets[E]]: order[row] = token * K + slot of the pair that is that row; within an expert in ascending order
///   position[T * K]: the inverse, position[token * K + slot] = row; -1 where another expert was chosen.
/// Does not allocate.
void route(const int32_t* indices, int64_t tokens, int64_t slots, int64_t first, int64_t experts, int32_t* offsets,
           int32_t* order, int32_t* position);

/// rows[r, :] = x[order[r] / slots, :] for `count` rows; x is [T, n].
void dispatch(const float* x, const int32_t* order, int64_t count, int64_t slots, int64_t n, float* rows,
              ThreadPool& pool);

/// out[t, :] = sum over slots s, in ascending order, of weights[t, s] * rows[position[t * slots + s], :], positions of
/// -1 left out; out is [T, n].
void combine(const float* rows, const int32_t* position, const float* weights, int64_t tokens, int64_t slots, int64_t n,
             float* out, ThreadPool& pool);

}  // namespace cleave::kernels
