#pragma once

#include <cstdint>

#include "kernels/simd/isa.h"

namespace cleave::kernels {

/// A number of a row and its place.
struct Ranked {
  float value;
  int32_t index;

  bool operator==(const Ranked&) const = default;
};

/// Whether a comes before b: larger numbers first, of equal ones the smaller index.
constexpr bool is_ahead(const Ranked& a, const Ranked& b) {
  return a.value != b.value ? a.value > b.value : a.index < b.index;
}

/// Writes the `count` largest of x[n] to `out`, by is_ahead(), and returns how many there are. NaN and -infinity are
/// passed over. On one thread.
int64_t largest(const float* x, int64_t n, int64_t count, Ranked* out);

/// Sum of exp((x[i] - peak) * scale) over x[n], of which `peak` is the largest or larger; NaN and -infinity add
/// nothing. Each summand is rounded to a multiple of `quantum`, a power of two with (summands in all) / quantum <=
/// 2^52: sums are exact then, the same in whatever parts and order they are taken. On one thread.
double exp_sum(const float* x, int64_t n, float peak, float scale, double quantum, Isa isa = best_isa());

}  // namespace cleave::kernels
