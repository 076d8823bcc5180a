#include "kernels/matrix/level_product.h"

#include <algorithm>

#include "base/check.h"
#include "kernels/simd/table.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Strips that are unpacked at once: four, which share the cost of going through a row's list of high digits, but at
// most half of a second-level cache of 1 MB.
constexpr int64_t kStripsAtOnce = 4;
constexpr int64_t kLevelBytes = 512 << 10;

constexpr size_t align_up(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

}  // namespace

LevelProduct::LevelProduct(int64_t n, int64_t k, LayoutId id, const BlockLayout& layout, const std::byte* weights,
                           const simd::Table& table)
    : n_(n),
      k_(k),
      id_(id),
      layout_(layout),
      record_groups_(layout.groups),
      in_long_groups_(kLayouts[static_cast<int>(id)].long_groups() && layout.elements() % simd::kLongGroup == 0),
      weights_(weights),
      table_(table),
      strip_bytes_(layout_.strip_bytes(k)),
      strips_at_once_(std::clamp<int64_t>(kLevelBytes / (k * kStripRows), 1, kStripsAtOnce)) {
  if (in_long_groups_) layout_.group = simd::kLongGroup;
}

size_t LevelProduct::levels_bytes() const {
  return static_cast<size_t>(strips_at_once_ * k_ * kStripRows);
}

size_t LevelProduct::panel_bytes() const {
  const int64_t scales = strips_at_once_ * simd::level_scales(k_, layout_.group, layout_.minimum);
  return levels_bytes() + align_up(static_cast<size_t>(scales) * sizeof(float));
}

// Sets where the rounded rows lie in scratch. Returns their bytes.
size_t LevelProduct::place_rows(int64_t m, std::byte* scratch, simd::DigitRows& rows) const {
  rows.interleave = m <= simd::kPackedLevelRows ? m : simd::kDigitRows;
  size_t used = 0;
  const auto take = [&]<class T>(T*& part, int64_t count) {
    part = reinterpret_cast<T*>(scratch + used);
    used += align_up(static_cast<size_t>(count) * sizeof(T));
  };
  const int64_t padded = (m + simd::kDigitRows - 1) / simd::kDigitRows * simd::kDigitRows;
  take(rows.low, padded * k_);
  take(rows.scales, padded * simd::digit_groups(k_));
  take(rows.offsets, padded * k_ / layout_.group);
  take(rows.sums, padded * k_ / layout_.group);
  take(rows.counts, padded);
  take(rows.high, padded * k_ / 4);
  return used;
}

size_t LevelProduct::scratch_bytes(int64_t max_m, int threads) const {
  simd::DigitRows rows;
  return place_rows(max_m, nullptr, rows) + static_cast<size_t>(threads) * panel_bytes();
}

void LevelProduct::multiply(const float* x, int64_t m, float* y, std::span<std::byte> scratch, ThreadPool& pool,
                            Prepared prepared) const {
  CHECK_GE(scratch.size(), scratch_bytes(m, pool.size()));
  simd::DigitRows rows;
  std::byte* panels = scratch.data() + place_rows(m, scratch.data(), rows);
  if (prepared == Prepared::No)
    pool.parallel_for(m, row_grain(k_), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) table_.split_digits(x + row * k_, k_, layout_, row, rows);
    });
  const int64_t strips = (n_ + kStripRows - 1) / kStripRows;
  if (m <= simd::kPackedLevelRows) {
    pool.parallel_for(strips, std::max<int64_t>(1, kGrainBytes / (strip_bytes_ * m)),
                      [&](int64_t begin, int64_t end) { multiply_packed(begin, end, m, rows, y); });
    return;
  }
  share_out(pool, strips, strips_at_once_, [&](int thread, int64_t begin, int64_t end) {
    multiply_strips(begin, end, m, rows, y, panels + static_cast<size_t>(thread) * panel_bytes());
  });
}

void LevelProduct::multiply_packed(int64_t begin, int64_t end, int64_t m, const simd::DigitRows& rows, float* y) const {
  const auto index = static_cast<size_t>(id_);
  const auto product = in_long_groups_ ? table_.packed_long_level_product[index] : table_.packed_level_product[index];
  product({.x = rows,
           .m = m,
           .k = k_,
           .weights = weights_ + begin * strip_bytes_,
           .strip_bytes = strip_bytes_,
           .groups = record_groups_,
           .columns = std::min(n_, end * kStripRows) - begin * kStripRows,
           .y = y + begin * kStripRows,
           .ldy = n_,
           .prefetch = wants_prefetch(m)});
}

void LevelProduct::multiply_strips(int64_t begin, int64_t end, int64_t m, const simd::DigitRows& rows, float* y,
                                   std::byte* panel) const {
  auto* levels = reinterpret_cast<uint8_t*>(panel);
  auto* scales = reinterpret_cast<float*>(panel + levels_bytes());
  const auto index = static_cast<size_t>(id_);
  const auto unpack = in_long_groups_ ? table_.unpack_long_levels[index] : table_.unpack_levels[index];
  unpack({.weights = weights_ + begin * strip_bytes_,
          .strip_bytes = strip_bytes_,
          .strips = end - begin,
          .k = k_,
          .groups = record_groups_,
          .levels = levels,
          .scales = scales});
  const auto product =
      in_long_groups_ ? table_.long_level_product[layout_.minimum ? 1 : 0] : table_.level_product[index];
  product({.x = rows,
           .m = m,
           .k = k_,
           .levels = levels,
           .scales = scales,
           .columns = std::min(n_, end * kStripRows) - begin * kStripRows,
           .y = y + begin * kStripRows,
           .ldy = n_});
}

}  // namespace cleave::kernels
