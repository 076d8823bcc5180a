#include "base/transpose.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace cleave {
namespace {

// Vectors of 16 bytes, which every x86-64 processor has.
using Halves = uint16_t __attribute__((vector_size(16)));
using Words = uint32_t __attribute__((vector_size(16)));
template <class T>
using Vector = std::conditional_t<sizeof(T) == 2, Halves, Words>;
template <class T>
constexpr int kVectorLanes = 16 / sizeof(T);

// Interleaves the first halves and the second halves of two vectors.
inline Halves low_halves(Halves a, Halves b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
inline Halves high_halves(Halves a, Halves b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
inline Words low_halves(Words a, Words b) {
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}
inline Words high_halves(Words a, Words b) {
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}

// Transposes a square with as many rows as a vector has lanes. Each of log2(lanes) steps interleaves the rows that are
// half the height apart.
template <class T>
inline void transpose_square(const std::byte* const* rows, size_t offset, std::byte* out, size_t stride) {
  using V = Vector<T>;
  constexpr int kLanes = kVectorLanes<T>;
  V a[kLanes];
  for (int i = 0; i < kLanes; ++i) std::memcpy(&a[i], rows[i] + offset, sizeof(V));
  for (int step = 1; step < kLanes; step *= 2) {
    V b[kLanes];
    for (int i = 0; i < kLanes / 2; ++i) {
      b[2 * i] = low_halves(a[i], a[i + kLanes / 2]);
      b[2 * i + 1] = high_halves(a[i], a[i + kLanes / 2]);
    }
    std::copy(b, b + kLanes, a);
  }
  for (int i = 0; i < kLanes; ++i) std::memcpy(out + static_cast<size_t>(i) * stride, &a[i], sizeof(V));
}

// Sixteen rows at a time, a cache line of each: with more the lines of rows that lie a multiple of 4 KB apart push one
// another out of the caches.
constexpr int64_t kRowsTogether = 16;
constexpr size_t kLineBytes = 64;
constexpr size_t kAheadBytes = 256;  // distance of the prefetch

template <class T>
void transpose(const std::byte* const* rows, int64_t count, int64_t columns, std::byte* out, int64_t stride) {
  constexpr int64_t kLanes = kVectorLanes<T>;
  constexpr int64_t kLine = kLineBytes / sizeof(T);
  const auto at = [&](int64_t c, int64_t r) { return out + static_cast<size_t>(c * stride + r) * sizeof(T); };
  const auto copy = [&](int64_t r, int64_t bottom, int64_t left, int64_t right) {
    for (; r < bottom; ++r)
      for (int64_t c = left; c < right; ++c)
        std::memcpy(at(c, r), rows[r] + static_cast<size_t>(c) * sizeof(T), sizeof(T));
  };
  for (int64_t top = 0; top < count; top += kRowsTogether)
    for (int64_t first = 0; first < columns; first += kLine) {
      const int64_t last = std::min(columns, first + kLine);
      const int64_t bottom = std::min(count, top + kRowsTogether);
      for (int64_t r = top; r < bottom; ++r)
        __builtin_prefetch(rows[r] + static_cast<size_t>(first) * sizeof(T) + kAheadBytes);
      int64_t c = first;
      for (; c + kLanes <= last; c += kLanes) {
        int64_t r = top;
        for (; r + kLanes <= bottom; r += kLanes)
          transpose_square<T>(rows + r, static_cast<size_t>(c) * sizeof(T), at(c, r),
                              static_cast<size_t>(stride) * sizeof(T));
        copy(r, bottom, c, c + kLanes);
      }
      copy(top, bottom, c, last);
    }
}

}  // namespace

void transpose_16(const std::byte* const* rows, int64_t count, int64_t columns, std::byte* out, int64_t stride) {
  transpose<uint16_t>(rows, count, columns, out, stride);
}

void transpose_32(const std::byte* const* rows, int64_t count, int64_t columns, std::byte* out, int64_t stride) {
  transpose<uint32_t>(rows, count, columns, out, stride);
}

}  // namespace cleave
