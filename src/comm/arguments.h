#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <span>

#include "base/check.h"
#include "tensor/dtype.h"

/// Checks of arguments that all implementations share.
namespace cleave::comm {

inline constexpr int64_t kFloatBytes = sizeof(float);

/// Throws Error(Unsupported) where `dtype` cannot be summed.
inline void require_summable(DType dtype) {
  if (dtype != DType::F32)
    fail(ErrorKind::Unsupported, "sums over ranks are taken in F32, not in {}: convert before the call",
         to_string(dtype));
}

/// REQUIRES: one size per rank, none negative. Gives their sum.
inline int64_t total_of(std::span<const int64_t> sizes, int num_ranks) {
  CHECK_EQ(static_cast<int>(sizes.size()), num_ranks);
  for (const int64_t size : sizes) CHECK_GE(size, 0);
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
}

/// Where rank's block begins among blocks of these sizes that follow one another.
inline int64_t offset_of(std::span<const int64_t> sizes, int rank) {
  return std::accumulate(sizes.begin(), sizes.begin() + rank, int64_t{0});
}

inline void require_rank(int rank, int num_ranks) {
  CHECK_GE(rank, 0);
  CHECK_LT(rank, num_ranks);
}

/// A contiguous range of elements.
struct Slice {
  int64_t begin = 0, end = 0;
  int64_t count() const { return end - begin; }
};

/// Rank's part of `count` floats: as even as whole cache lines allow.
inline Slice slice_of(int64_t count, int rank, int num_ranks) {
  constexpr int64_t kLine = 16;  // floats of a cache line
  const int64_t lines = (count + kLine - 1) / kLine;
  const auto boundary = [&](int64_t r) { return std::min(count, lines * r / num_ranks * kLine); };
  return {boundary(rank), boundary(rank + 1)};
}

}  // namespace cleave::comm
