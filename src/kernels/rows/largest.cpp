#include "kernels/rows/largest.h"

#include <algorithm>
#include <array>
#include <limits>

#include "kernels/simd/table.h"

namespace cleave::kernels {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// Numbers that are looked at together: as a rule none of them is among the largest.
constexpr int64_t kAtOnce = 256;

// In lanes, so that the compiler makes vector instructions of it. NaN compares false, so it is passed over.
float largest_of(const float* x, int64_t n) {
  constexpr int64_t kLanes = 16;
  std::array<float, kLanes> best;
  best.fill(kNone);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) best[lane] = x[i + lane] > best[lane] ? x[i + lane] : best[lane];
  for (; i < n; ++i) best[0] = x[i] > best[0] ? x[i] : best[0];
  return *std::ranges::max_element(best);
}

}  // namespace

// The numbers found so far are a heap with the last of them in front, which a larger one takes the place of.
int64_t largest(const float* x, int64_t n, int64_t count, Ranked* out) {
  int64_t found = 0;
  const auto bound = [&] { return found < count ? kNone : out[0].value; };
  for (int64_t first = 0; first < n && count > 0; first += kAtOnce) {
    const int64_t end = std::min(n, first + kAtOnce);
    if (!(largest_of(x + first, end - first) > bound())) continue;
    for (int64_t i = first; i < end; ++i) {
      if (!(x[i] > bound())) continue;
      if (found == count) std::pop_heap(out, out + found--, is_ahead);
      out[found++] = {x[i], static_cast<int32_t>(i)};
      std::push_heap(out, out + found, is_ahead);
    }
  }
  std::sort_heap(out, out + found, is_ahead);
  return found;
}

double exp_sum(const float* x, int64_t n, float peak, float scale, double quantum, Isa isa) {
  constexpr float kNothing = -200;  // whose exponential is rounded to 0
  const auto exponential = simd::table(isa).unary[static_cast<size_t>(UnaryKind::Exp)];
  const double rounds = 1.5 * quantum * static_cast<double>(int64_t{1} << 52);  // adding it rounds to a multiple
  double sum = 0;
  std::array<float, kAtOnce> part;
  for (int64_t first = 0; first < n; first += kAtOnce) {
    const int64_t count = std::min(n - first, kAtOnce);
    for (int64_t i = 0; i < count; ++i) {
      const float logit = x[first + i], distance = logit == peak ? 0 : (logit - peak) * scale;
      part[static_cast<size_t>(i)] = logit > kNone ? std::max(distance, kNothing) : kNothing;
    }
    exponential(part.data(), count, part.data());
    for (int64_t i = 0; i < count; ++i) sum += (static_cast<double>(part[static_cast<size_t>(i)]) + rounds) - rounds;
  }
  return sum;
}

}  // namespace cleave::kernels
