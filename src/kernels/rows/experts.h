#pragma once

#include <cstdint>

#include "base/thread_pool.h"

namespace cleave::kernels {

// Rows of a mixture of experts. Legend: T tokens, K experts chosen by each token (one per slot), E experts of this
// rank. A pair (token, slot) is one row of work for the expert that was chosen. Rows are sorted by expert, so that each
// expert works on one contiguous range of them.

/// Sorts the pairs of indices[T, K], the chosen experts, by expert, for the E experts from number `first` on. Writes
///   offsets[E + 1]     expert first + e has rows [offsets[e], offsets[e + 1])
///   order[offsets[E]]  order[row] = token * K + slot of the pair of that row; ascending within an expert
///   position[T * K]    the inverse, position[token * K + slot] = row; -1 for an expert that is not one of the E
/// Does not allocate.
void route(const int32_t* indices, int64_t tokens, int64_t slots, int64_t first, int64_t experts, int32_t* offsets,
           int32_t* order, int32_t* position);

/// Copies each row's token: rows[r, :] = x[order[r] / slots, :] for `count` rows; x is [T, n].
void dispatch(const float* x, const int32_t* order, int64_t count, int64_t slots, int64_t n, float* rows,
              ThreadPool& pool);

/// The weighted sum of each token's rows, in ascending order of slots s, without those whose position is -1:
///   out[t, :] = sum over s of weights[t, s] * rows[position[t * slots + s], :]
/// out is [T, n].
void combine(const float* rows, const int32_t* position, const float* weights, int64_t tokens, int64_t slots, int64_t n,
             float* out, ThreadPool& pool);

}  // namespace cleave::kernels
