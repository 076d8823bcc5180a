#include "kernels/panel_product.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/transpose.h"
#include "kernels/simd/table.h"
#include "kernels/simd/tile_product.h"
#include "kernels/split.h"

namespace cleave::kernels {
namespace {

// Rows below which a task is not cut: reading or unpacking its panel would cost more than its products.
constexpr int64_t kLeastRows = 96;

constexpr int64_t round_up(int64_t count, int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

}  // namespace

std::optional<PanelKernel> bf16_panel_kernel(Isa isa) {
  // A part of 4096 elements takes half of the second-level cache of a Zen 4 core. In tiles, of which the processor
  // multiplies sixteen times as much per byte, half a part of 512 stays in the first-level cache, and 512 rows of that
  // depth in the second.
  if (isa == Isa::Amx) return PanelKernel{simd::amx_panel_product, PanelNumbers::Bf16, 16, 512, 4};
  if (const auto product = simd::table(isa).panel_product) return PanelKernel{product, PanelNumbers::Bf16, 1, 4096, 1};
  return std::nullopt;
}

PanelKernel f32_panel_kernel(Isa isa) {
  // A quarter of the second-level cache of a server with AVX-512 (256 KB of 1 MB), of AVX2 half of the usual.
  const int64_t depth = isa >= Isa::Avx512 ? 1024 : 512;
  return {simd::table(isa).float_panel_product, PanelNumbers::F32, simd::kFloatRows, depth, 1};
}

// In bf16 not a multiple of 4096 bytes, which would map the rows of a tile to the same few places of a cache.
int64_t PanelProduct::row_stride() const {
  return wide() ? depth() : depth() + kPanelDepth;
}

size_t PanelProduct::rows_bytes(int64_t m) const {
  return static_cast<size_t>(round_up(round_up(m, kernel_.rows) * row_stride() * number_bytes(), 64));
}

size_t PanelProduct::part_bytes() const {
  return static_cast<size_t>(std::min(kernel_.depth, round_up(depth(), 2)) * kPanelRows * number_bytes());
}

size_t PanelProduct::scratch_bytes(int64_t max_m, int threads) const {
  return rows_bytes(max_m) + static_cast<size_t>(threads) * part_bytes();
}

void PanelProduct::multiply(const float* x, int64_t m, PanelReader panels, float* y, std::span<std::byte> scratch,
                            ThreadPool& pool, Prepared prepared) const {
  CHECK_GE(scratch.size(), scratch_bytes(m, pool.size()));
  std::byte* rows = scratch.data();
  if (prepared == Prepared::No && wide()) interleave_rows(x, m, reinterpret_cast<float*>(rows), pool);
  if (prepared == Prepared::No && !wide()) round_rows(x, m, reinterpret_cast<uint16_t*>(rows), pool);
  // Two tasks for every thread: fewer panels in each, then fewer rows.
  const int64_t tasks = pool.size() == 1 ? 1 : 2 * pool.size(), all = shape_.panels();
  const int64_t group = std::clamp<int64_t>(all / tasks, 1, kernel_.panels), groups = (all + group - 1) / group;
  const int64_t chunks = std::clamp<int64_t>((tasks + groups - 1) / groups, 1, std::max<int64_t>(1, m / kLeastRows));
  const int64_t chunk = round_up((m + chunks - 1) / chunks, kernel_.rows);
  share_out(pool, groups * chunks, 1, [&](int thread, int64_t task, int64_t) {
    const int64_t panel = task / chunks * group, row = task % chunks * chunk;
    multiply_rectangle({panel, std::min(all, panel + group), std::min(m, row), std::min(m, row + chunk)}, rows, panels,
                       y, scratch.data() + rows_bytes(m) + static_cast<size_t>(thread) * part_bytes());
  });
}

// Rows beyond m are zeros, like elements beyond k.
void PanelProduct::round_rows(const float* x, int64_t m, uint16_t* out, ThreadPool& pool) const {
  const int64_t k = shape_.k, depth = this->depth(), stride = row_stride();
  const auto round = simd::table(isa_).to_bfloat16;
  pool.parallel_for(round_up(m, kernel_.rows), row_grain(depth), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t valid = row < m ? k : 0;
      if (valid > 0) round(x + row * k, k, out + row * stride);
      std::fill(out + row * stride + valid, out + row * stride + depth, uint16_t{0});
    }
  });
}

// Rows beyond m, whose products nobody asks for, are left as they are.
void PanelProduct::interleave_rows(const float* x, int64_t m, float* out, ThreadPool& pool) const {
  const int64_t k = shape_.k, tiles = round_up(m, simd::kFloatRows) / simd::kFloatRows;
  pool.parallel_for(tiles, row_grain(k * simd::kFloatRows), [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      std::array<const std::byte*, simd::kFloatRows> rows{};
      const int64_t first = tile * simd::kFloatRows, count = std::min(simd::kFloatRows, m - first);
      for (int64_t i = 0; i < count; ++i)
        rows[static_cast<size_t>(i)] = reinterpret_cast<const std::byte*>(x + (first + i) * k);
      transpose_32(rows.data(), count, k, reinterpret_cast<std::byte*>(out + first * k), simd::kFloatRows);
    }
  });
}

void PanelProduct::multiply_rectangle(const Rectangle& rectangle, const std::byte* rows, PanelReader panels, float* y,
                                      std::byte* part) const {
  const auto [first_panel, last_panel, first_row, last_row] = rectangle;
  const int64_t side_by_side = wide() ? simd::kFloatRows : 1;  // rows whose elements are
  for (int64_t first = 0; first < this->depth(); first += kernel_.depth) {
    const int64_t depth = std::min(kernel_.depth, this->depth() - first);
    for (int64_t panel = first_panel; panel < last_panel; ++panel)
      kernel_.product({.x = rows + (first_row * row_stride() + first * side_by_side) * number_bytes(),
                       .m = last_row - first_row,
                       .ldx = row_stride(),
                       .depth = depth,
                       .weights = panels(panel, first, depth, part),
                       .columns = shape_.columns(panel),
                       .y = y + first_row * shape_.n + panel * kPanelRows,
                       .ldy = shape_.n,
                       .accumulate = first > 0});
  }
}

}  // namespace cleave::kernels
