#include "kernels/matrix/panel_product.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/transpose.h"
#include "kernels/simd/table.h"
#include "kernels/simd/tile_product.h"
#include "kernels/work_sharing.h"

namespace cleave::kernels {
namespace {

// Least rows of a task. With fewer, reading or unpacking its panel would cost more than its products.
constexpr int64_t kLeastRows = 96;

// Elements of a row that are rounded at a time before they are laid out.
constexpr int64_t kRoundedAtOnce = 256;

constexpr int64_t round_up(int64_t count, int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

}  // namespace

std::optional<PanelKernel> bf16_panel_kernel(Isa isa) {
  // The sums of six panels and 512 rows, and a part of 256 elements of these rows, take half of the second-level cache
  // of a processor with tiles.
  if (isa == Isa::Amx) return PanelKernel{simd::amx_panel_product, PanelNumbers::Bf16, kTileRowLayout, 8, 256, 6};
  // A part of 4096 elements takes half of the second-level cache of a Zen 4 core.
  if (const auto product = simd::table(isa).panel_product)
    return PanelKernel{product, PanelNumbers::Bf16, kWholeRows, 4, 4096, 1};
  return std::nullopt;
}

PanelKernel f32_panel_kernel(Isa isa) {
  // A quarter of the second-level cache of a server with AVX-512 (256 KB of 1 MB), of AVX2 half of the usual.
  const int64_t depth = isa >= Isa::Avx512 ? 1024 : 512;
  return {simd::table(isa).float_panel_product, PanelNumbers::F32, kFloatRowLayout, 2 * kFloatRows, depth, 1};
}

// Numbers from row to row. In bf16 a little more than depth(), which is often a power of two: the same part of all rows
// would then share few places of the caches.
int64_t PanelProduct::row_stride() const {
  return wide() ? depth() : depth() + (kernel_.layout.rows == 1 ? kPanelDepth : kernel_.depth);
}

size_t PanelProduct::rows_bytes(int64_t m) const {
  return static_cast<size_t>(round_up(round_up(m, kernel_.layout.rows) * row_stride() * number_bytes(), 64));
}

size_t PanelProduct::part_bytes() const {
  return static_cast<size_t>(std::min(kernel_.depth, round_up(depth(), 2)) * kPanelRows * number_bytes());
}

// Bytes of sums that lie together in scratch from one part to the next, because rows of y lie too far apart to stay in
// caches.
size_t PanelProduct::sums_bytes(int64_t m) const {
  return depth() <= kernel_.depth ? 0 : static_cast<size_t>(kernel_.panels * m * kPanelRows) * sizeof(float);
}

size_t PanelProduct::scratch_bytes(int64_t max_m, int threads) const {
  return rows_bytes(max_m) + static_cast<size_t>(threads) * (part_bytes() + sums_bytes(max_m));
}

void PanelProduct::multiply(const float* x, int64_t m, PanelReader panels, float* y, std::span<std::byte> scratch,
                            ThreadPool& pool, Prepared prepared) const {
  CHECK_GE(scratch.size(), scratch_bytes(m, pool.size()));
  std::byte* rows = scratch.data();
  if (prepared == Prepared::No) lay_out(x, m, rows, pool);
  // At least two tasks for every thread, with fewer panels in each or, if that is not enough, fewer rows.
  const int64_t tasks = pool.size() == 1 ? 1 : 2 * pool.size(), all = shape_.panels();
  const int64_t group = std::clamp<int64_t>(all / tasks, 1, kernel_.panels), groups = (all + group - 1) / group;
  const int64_t chunks = std::clamp<int64_t>((tasks + groups - 1) / groups, 1, std::max<int64_t>(1, m / kLeastRows));
  const int64_t chunk = round_up((m + chunks - 1) / chunks, kernel_.layout.rows);
  share_out(pool, groups * chunks, 1, [&](int thread, int64_t task, int64_t) {
    const int64_t panel = task / chunks * group, row = task % chunks * chunk;
    std::byte* part = scratch.data() + rows_bytes(m) + static_cast<size_t>(thread) * (part_bytes() + sums_bytes(m));
    multiply_rectangle({panel, std::min(all, panel + group), std::min(m, row), std::min(m, row + chunk)}, rows, panels,
                       y, part, reinterpret_cast<float*>(part + part_bytes()));
  });
}

// Rounds rows and lays them out. Rows beyond m are left as they are, because their products are not used.
void PanelProduct::lay_out(const float* x, int64_t m, std::byte* out, ThreadPool& pool) const {
  const int64_t block = kernel_.layout.rows, k = shape_.k;
  pool.parallel_for(round_up(m, block) / block, row_grain(k * block), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin * block; row < std::min(m, end * block); row += block) {
      std::byte* to = out + row * row_stride() * number_bytes();
      if (wide())
        interleave_block(x + row * k, std::min(block, m - row), reinterpret_cast<float*>(to));
      else
        round_block(x + row * k, std::min(block, m - row), reinterpret_cast<uint16_t*>(to));
    }
  });
}

// Rounds a block of rows. Elements beyond k become zeros.
void PanelProduct::round_block(const float* x, int64_t rows, uint16_t* out) const {
  const int64_t k = shape_.k, depth = this->depth();
  const auto round = simd::table(isa_).to_bfloat16;
  const auto [block, group] = kernel_.layout;
  for (int64_t row = 0; row < rows; ++row, x += k) {
    if (block == 1) {
      round(x, k, out + row * row_stride());
      std::fill(out + row * row_stride() + k, out + row * row_stride() + depth, uint16_t{0});
      continue;
    }
    for (int64_t first = 0; first < depth; first += kRoundedAtOnce) {
      std::array<uint16_t, kRoundedAtOnce> part{};
      round(x + first, std::min(kRoundedAtOnce, k - first), part.data());
      for (int64_t i = 0; i < std::min(kRoundedAtOnce, depth - first); i += group)
        std::copy_n(part.data() + i, group, out + (first + i) * block + row * group);
    }
  }
}

void PanelProduct::interleave_block(const float* x, int64_t rows, float* out) const {
  std::array<const std::byte*, kFloatRows> from{};
  for (int64_t i = 0; i < rows; ++i)
    from[static_cast<size_t>(i)] = reinterpret_cast<const std::byte*>(x + i * shape_.k);
  transpose_32(from.data(), rows, shape_.k, reinterpret_cast<std::byte*>(out), kFloatRows);
}

void PanelProduct::multiply_rectangle(const Rectangle& rectangle, const std::byte* rows, PanelReader panels, float* y,
                                      std::byte* part, float* sums) const {
  const auto [first_panel, last_panel, first_row, last_row] = rectangle;
  const int64_t m = last_row - first_row;
  for (int64_t first = 0; first < this->depth(); first += kernel_.depth) {
    const int64_t depth = std::min(kernel_.depth, this->depth() - first), next = first + depth;
    for (int64_t panel = first_panel; panel < last_panel; ++panel) {
      simd::PanelTile tile{
          .x = rows + (first_row * row_stride() + first * kernel_.layout.rows) * number_bytes(),
          .m = m,
          .ldx = row_stride(),
          .depth = depth,
          .weights = panels(panel, first, depth, part),
          .columns = shape_.columns(panel),
          .first = first == 0,
          .sums = this->depth() > kernel_.depth ? sums + (panel - first_panel) * m * kPanelRows : nullptr,
          .ld_sums = kPanelRows,
          .y = next == this->depth() ? y + first_row * shape_.n + panel * kPanelRows : nullptr,
          .ldy = shape_.n,
          .layout = kernel_.layout,
      };
      if (panel + 1 < last_panel)
        tile.next = panels(panel + 1, first, depth, nullptr);
      else if (next < this->depth())
        tile.next = panels(first_panel, next, std::min(depth, this->depth() - next), nullptr);
      kernel_.product(tile);
    }
  }
}

}  // namespace cleave::kernels
