#include "kernels/panel_product.h"

#include <algorithm>

#include "base/check.h"
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

std::optional<PanelKernel> panel_kernel(Isa isa) {
  // A part of 4096 elements takes half of the second-level cache of a Zen 4 core. In tiles, of which the processor
  // multiplies sixteen times as much per byte, half a part of 512 stays in the first-level cache, and 512 rows of that
  // depth in the second.
  if (isa == Isa::Amx) return PanelKernel{simd::amx_panel_product, 16, 512, 4};
  if (const auto product = simd::table(isa).panel_product) return PanelKernel{product, 1, 4096, 1};
  return std::nullopt;
}

// Not a multiple of 4096 bytes, which would map the rows of a tile to the same few places of a cache.
int64_t PanelProduct::row_stride() const {
  return shape_.depth() + kPanelDepth;
}

size_t PanelProduct::rows_bytes(int64_t m) const {
  return static_cast<size_t>(round_up(round_up(m, kernel_.rows) * row_stride() * 2, 64));
}

size_t PanelProduct::part_bytes() const {
  return static_cast<size_t>(std::min(kernel_.depth, shape_.depth()) * kPanelRows * 2);
}

size_t PanelProduct::scratch_bytes(int64_t max_m, int threads) const {
  return rows_bytes(max_m) + static_cast<size_t>(threads) * part_bytes();
}

void PanelProduct::multiply(const float* x, int64_t m, PanelReader panels, float* y, std::span<std::byte> scratch,
                            ThreadPool& pool, Prepared prepared) const {
  CHECK_GE(scratch.size(), scratch_bytes(m, pool.size()));
  auto* rows = reinterpret_cast<uint16_t*>(scratch.data());
  if (prepared == Prepared::No) round_rows(x, m, rows, pool);
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
  const int64_t k = shape_.k, depth = shape_.depth(), stride = row_stride();
  const auto round = simd::table(isa_).to_bfloat16;
  pool.parallel_for(round_up(m, kernel_.rows), row_grain(depth), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t valid = row < m ? k : 0;
      if (valid > 0) round(x + row * k, k, out + row * stride);
      std::fill(out + row * stride + valid, out + row * stride + depth, uint16_t{0});
    }
  });
}

void PanelProduct::multiply_rectangle(const Rectangle& rectangle, const uint16_t* rows, PanelReader panels, float* y,
                                      std::byte* part) const {
  const auto [first_panel, last_panel, first_row, last_row] = rectangle;
  for (int64_t first = 0; first < shape_.depth(); first += kernel_.depth) {
    const int64_t depth = std::min(kernel_.depth, shape_.depth() - first);
    for (int64_t panel = first_panel; panel < last_panel; ++panel)
      kernel_.product({.x = rows + first_row * row_stride() + first,
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
