#include "kernels/attention/half_range.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "kernels/simd/table.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Numbers that are looked at together: a fixed count, which compilers turn into vectors.
constexpr int64_t kTogether = 64;
// Numbers that are converted at a time, a page of f16.
constexpr int64_t kPage = 2048;

constexpr uint32_t kMagnitude = 0x7fffffffu;
// What makes the magnitude of 65504 the largest one below the sign bit.
constexpr uint32_t kToSignBit = kMagnitude - std::bit_cast<uint32_t>(65504.0f);

uint32_t beyond(float x) {
  return (std::bit_cast<uint32_t>(x) & kMagnitude) + kToSignBit;
}

bool fits(const float* x, int64_t count) {
  uint32_t any = 0;
  int64_t i = 0;
  for (; i + kTogether <= count; i += kTogether)
    for (int64_t j = 0; j < kTogether; ++j) any |= beyond(x[i + j]);
  for (; i < count; ++i) any |= beyond(x[i]);
  return (any & ~kMagnitude) == 0;
}

}  // namespace

bool fits_half(const float* x, int64_t count, ThreadPool& pool) {
  if (count <= kGrainElements) return fits(x, count);
  std::atomic<bool> all{true};
  pool.parallel_for(count, kGrainElements, [&](int64_t begin, int64_t end) {
    if (!fits(x + begin, end - begin)) all = false;
  });
  return all;
}

void widen_half(const std::byte* from, std::span<float> to, ThreadPool& pool) {
  static constexpr std::byte kZeros[kPage * sizeof(uint16_t)] = {};
  const simd::Table& table = simd::table(best_isa());
  const auto total = static_cast<int64_t>(to.size());
  pool.parallel_for((total + kPage - 1) / kPage, 1, [&](int64_t begin, int64_t end) {
    for (int64_t first = begin * kPage; first < std::min(total, end * kPage); first += kPage) {
      const int64_t count = std::min(kPage, total - first);
      const std::byte* page = from + first * static_cast<int64_t>(sizeof(uint16_t));
      if (std::memcmp(page, kZeros, static_cast<size_t>(count) * sizeof(uint16_t)) != 0)
        table.widen_half(page, count, to.data() + first);
    }
  });
}

}  // namespace cleave::kernels
