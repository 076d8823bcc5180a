#include "kernels/matrix/panel_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/buffer.h"
#include "kernels/layout/block_layout.h"
#include "kernels/matrix/block_pack.h"
#include "kernels/simd/table.h"
#include "kernels/simd/tile_product-inl.h"
#include "kernels/testing/matrices.h"

namespace cleave::kernels {
namespace {

// The processor's tiles in plain memory; Intel SDM, volume 2, on each instruction.
struct EmulatedTiles {
  static constexpr int64_t kRowBytes = 64;

  template <int kTile>
  void zero() {
    registers[kTile] = {};
  }
  template <int kTile>
  void load(const void* from, int64_t stride) {
    for (int64_t i = 0; i < 16; ++i)
      std::memcpy(registers[kTile][i].data(), static_cast<const std::byte*>(from) + i * stride, kRowBytes);
  }
  template <int kTile>
  void store(void* to, int64_t stride) {
    for (int64_t i = 0; i < 16; ++i)
      std::memcpy(static_cast<std::byte*>(to) + i * stride, registers[kTile][i].data(), kRowBytes);
  }
  template <int kSum, int kA, int kB>
  void multiply_bfloat16() {
    for (size_t i = 0; i < 16; ++i)
      for (size_t pair = 0; pair < 16; ++pair)
        for (size_t j = 0; j < 16; ++j) {
          float& sum = reinterpret_cast<float*>(registers[kSum][i].data())[j];
          for (size_t e = 0; e < 2; ++e) sum += element(kA, i, 2 * pair + e) * element(kB, pair, 2 * j + e);
        }
  }

  float element(int tile, size_t row, size_t i) const {
    return to_float(reinterpret_cast<const bfloat16*>(registers[tile][row].data())[i]);
  }

  alignas(64) std::array<std::array<std::array<std::byte, kRowBytes>, 16>, 8> registers;
};

void emulated_panel_product(const simd::PanelTile& tile) {
  EmulatedTiles tiles;
  std::memset(&tiles.registers, 0xff, sizeof tiles.registers);  // not numbers
  simd::tile_product(tiles, tile);
}

// Those of this processor, and tiles.
std::vector<PanelKernel> panel_kernels() {
  std::vector<PanelKernel> kernels = {{emulated_panel_product, PanelNumbers::Bf16, kTileRowLayout, 8, 256, 6},
                                      {emulated_panel_product, PanelNumbers::Bf16, kTileRowLayout, 8, 512, 1}};
  for (const Isa isa : available_isas()) {
    if (const auto kernel = bf16_panel_kernel(isa)) kernels.push_back(*kernel);
    kernels.push_back(f32_panel_kernel(isa));
  }
  return kernels;
}

// A matrix of bf16 numbers as panels.
struct Panels {
  Panels(const Stored& stored, PanelNumbers numbers)
      : row_bytes(kPanelRows * (numbers == PanelNumbers::F32 ? 4 : 2)),
        panel_bytes(row_bytes * (numbers == PanelNumbers::F32 ? stored.k : PanelShape{1, stored.k}.bf16_depth())),
        bytes(static_cast<size_t>((stored.n + kPanelRows - 1) / kPanelRows * panel_bytes)) {
    for (int64_t row = 0; row < stored.n; ++row)
      for (int64_t i = 0; i < stored.k; ++i) {
        const float value = stored.values[static_cast<size_t>(row * stored.k + i)];
        const bfloat16 rounded = to_bfloat16(value);
        std::byte* panel = bytes.data() + row / kPanelRows * panel_bytes;
        if (numbers == PanelNumbers::F32)
          std::memcpy(panel + (i * kPanelRows + row % kPanelRows) * 4, &value, 4);
        else
          std::memcpy(panel + ((i / 2 * kPanelRows + row % kPanelRows) * 2 + i % 2) * 2, &rounded, 2);
      }
  }
  const std::byte* part(int64_t panel, int64_t first) const {
    return bytes.data() + panel * panel_bytes + first * row_bytes;
  }

  int64_t row_bytes, panel_bytes;
  std::vector<std::byte> bytes;
};

// Panels as a dense matrix has them, read where they lie or by way of the buffer.
TEST(PanelProduct, OfEveryKernelIsTheProductOfRoundedNumbers) {
  ThreadPool pool(3);
  const auto kernels = panel_kernels();
  for (const PanelShape shape : {PanelShape{1, 32}, {64, 33}, {200, 97}, {700, 64}, {70, 2300}}) {
    const Stored stored = random_weights(DType::BF16, shape.n, shape.k, 26);
    const Panels bf16(stored, PanelNumbers::Bf16), f32(stored, PanelNumbers::F32);
    for (const int64_t m : {1, 5, 6, 16, 31, 200}) {
      std::vector<float> x = random_floats(m * shape.k, static_cast<uint32_t>(m));
      for (float& value : x) value = to_float(to_bfloat16(value));
      const auto wanted = reference_product(stored, x, m);
      for (size_t i = 0; i < kernels.size(); ++i) {
        const PanelProduct product(shape, kernels[i], best_isa());
        const Panels& panels = product.numbers() == PanelNumbers::F32 ? f32 : bf16;
        const auto in_place = [&](int64_t panel, int64_t first, int64_t, std::byte*) {
          return panels.part(panel, first);
        };
        const auto copied = [&](int64_t panel, int64_t first, int64_t depth, std::byte* buffer) -> const std::byte* {
          if (buffer == nullptr) return nullptr;
          std::memcpy(buffer, panels.part(panel, first), static_cast<size_t>(depth * panels.row_bytes));
          return buffer;
        };
        Buffer scratch(product.scratch_bytes(m, pool.size()));
        std::vector<float> y(wanted.size(), NAN);
        product.multiply(x.data(), m, in_place, y.data(), scratch.bytes(), pool, Prepared::No);
        EXPECT_LT(relative_error(y, wanted), 1e-5) << "kernel " << i << " m " << m << " n " << shape.n;
        std::vector<float> again(wanted.size());
        product.multiply(x.data(), m, copied, again.data(), scratch.bytes(), pool, Prepared::Yes);
        EXPECT_EQ(y, again) << "kernel " << i;
      }
    }
  }
}

// Attention has whole rows and adds to what is there.
TEST(PanelProduct, InTilesIsTheSameOfWholeRows) {
  constexpr int64_t kDepth = 160, kRows = 64;
  const auto numbers = random_floats(kRows * kDepth + kDepth * kPanelRows, 28);
  std::vector<bfloat16> whole, blocks(static_cast<size_t>(kRows * kDepth)), weights;
  for (const float value : numbers) (whole.size() < blocks.size() ? whole : weights).push_back(to_bfloat16(value));
  const auto [rows, group] = kTileRowLayout;
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t i = 0; i < kDepth; ++i)
      blocks[static_cast<size_t>(row / rows * rows * kDepth + (i / group * rows + row % rows) * group + i % group)] =
          whole[static_cast<size_t>(row * kDepth + i)];
  for (const int64_t m : {3, 16, 20, 64})
    for (const int64_t columns : {5, 32, 40, 64}) {
      const auto before = random_floats(m * columns, 29);
      std::vector<float> y = before, z = before;
      simd::PanelTile tile{.x = whole.data(),
                           .m = m,
                           .ldx = kDepth,
                           .depth = kDepth,
                           .weights = reinterpret_cast<const std::byte*>(weights.data()),
                           .columns = columns,
                           .first = false,
                           .sums = y.data(),
                           .ld_sums = columns,
                           .y = nullptr,
                           .ldy = 0};
      emulated_panel_product(tile);
      tile.x = blocks.data();
      tile.layout = kTileRowLayout;
      tile.next = tile.weights;
      tile.sums = z.data();
      emulated_panel_product(tile);
      EXPECT_EQ(y, z) << m << " rows, " << columns << " columns";
      for (int64_t row = 0; row < m; ++row)
        for (int64_t j = 0; j < columns; ++j) {
          float sum = before[static_cast<size_t>(row * columns + j)];
          for (int64_t i = 0; i < kDepth; ++i)
            sum += to_float(whole[static_cast<size_t>(row * kDepth + i)]) *
                   to_float(weights[static_cast<size_t>((i / 2 * kPanelRows + j) * 2 + i % 2)]);
          ASSERT_NEAR(y[static_cast<size_t>(row * columns + j)], sum, 1e-4) << row << " " << j;
        }
    }
}

// Lines of 64 bytes in places of `ways`, of which the least recently used one leaves.
class Cache {
 public:
  Cache(size_t bytes, size_t ways) : places_(bytes / 64 / ways, std::vector<uintptr_t>(ways)) {}

  // Whether the line was there; it is now.
  bool find(uintptr_t line) {
    auto& place = places_[line % places_.size()];
    const auto at = std::find(place.begin(), place.end(), line);
    const bool found = at != place.end();
    std::rotate(place.begin(), found ? at : at - 1, found ? at + 1 : at);
    place.front() = line;
    return found;
  }

 private:
  std::vector<std::vector<uintptr_t>> places_;
};

// Counts what tiles ask the caches of a Sapphire Rapids core for; multiplies nothing.
struct CountingTiles {
  template <int kTile>
  void zero() {}
  template <int kTile>
  void load(const void* from, int64_t stride) {
    for (int64_t i = 0; i < 16; ++i) {
      const uintptr_t line = (reinterpret_cast<uintptr_t>(from) + static_cast<uintptr_t>(i * stride)) / 64;
      if (first_level.find(line)) continue;
      ++from_second_level;
      from_beyond += second_level.find(line) ? 0 : 1;
    }
  }
  template <int kTile>
  void store(void* to, int64_t stride) {
    load<kTile>(to, stride);
  }
  template <int kSum, int kA, int kB>
  void multiply_bfloat16() {
    ++products;
  }

  Cache first_level{48 << 10, 12}, second_level{2 << 20, 16};
  double from_second_level = 0, from_beyond = 0, products = 0;
};

CountingTiles* counting_tiles = nullptr;  // a kernel is a function without more

// A product takes 16 cycles, in which the second-level cache hands out 16 lines at the very most. Loops that look as
// good may ask for 18, and for 2.6 from beyond it.
TEST(PanelProduct, InTilesIsNotHeldUpByCaches) {
  ThreadPool pool(1);
  constexpr int64_t kRows = 512;
  auto kernel = panel_kernels()[0];
  kernel.product = [](const simd::PanelTile& tile) { simd::tile_product(*counting_tiles, tile); };
  for (const PanelShape shape : {PanelShape{2048, 2048}, {4096, 2048}, {512, 8192}}) {
    CountingTiles tiles;
    counting_tiles = &tiles;
    const PanelProduct product(shape, kernel, Isa::Portable);
    const Buffer weights(static_cast<size_t>(shape.n * shape.k * 2)), x(kRows * static_cast<size_t>(shape.k) * 4);
    Buffer y(kRows * static_cast<size_t>(shape.n) * 4), scratch(product.scratch_bytes(kRows, pool.size()));
    const auto part = [&](int64_t panel, int64_t first, int64_t, std::byte*) {
      return weights.data() + (panel * shape.k + first) * kPanelRows * 2;
    };
    product.multiply(x.as<float>(), kRows, part, y.as<float>(), scratch.bytes(), pool, Prepared::Yes);
    EXPECT_EQ(tiles.products, kRows / 16 * shape.n / 16 * shape.k / 32);
    EXPECT_LT(tiles.from_second_level / tiles.products, 10) << shape.n << " x " << shape.k;
    EXPECT_LT(tiles.from_beyond / tiles.products, 1.75) << shape.n << " x " << shape.k;
  }
  counting_tiles = nullptr;
}

// What products of block weights in tiles read.
TEST(PanelProduct, OfBlocksReadsTheirValuesInBfloat16) {
  for (const Isa isa : available_isas()) {
    for (const DType dtype : kBlockTypes) {
      if (!layout_of(dtype)) continue;
      const auto id = static_cast<size_t>(*layout_of(dtype));
      const auto unpack = simd::table(isa).unpack_panel[id];
      if (unpack == nullptr) continue;
      const int64_t strips = 3, n = strips * kStripRows, k = 512, skipped = 256;
      const BlockLayout layout = block_layout(dtype, k);
      const Stored stored = random_blocks(dtype, n, k, 27);
      const int64_t strip_bytes = layout.strip_bytes(k);
      std::vector<std::byte> packed(static_cast<size_t>(strips * strip_bytes));
      for (int64_t strip = 0; strip < strips; ++strip) {
        std::vector<const std::byte*> rows;
        for (int64_t r = 0; r < kStripRows; ++r) rows.push_back(stored.row(strip * kStripRows + r).data());
        strip_packer(dtype)(rows.data(), k, layout, packed.data() + strip * strip_bytes);
      }
      std::vector<bfloat16> panel(static_cast<size_t>((k - skipped) * kPanelRows), to_bfloat16(NAN));
      unpack({.weights = packed.data() + layout.strip_bytes(skipped),
              .strip_bytes = strip_bytes,
              .strips = strips,
              .depth = k - skipped,
              .groups = layout.groups,
              .panel = reinterpret_cast<std::byte*>(panel.data())});
      const double rounding = is_approximate(dtype) ? 0.004 * std::abs(std::ranges::max(stored.values)) : 0;
      for (int64_t i = 0; i < k - skipped; ++i)
        for (int64_t row = 0; row < kPanelRows; ++row) {
          const float got = to_float(panel[static_cast<size_t>((i / 2 * kPanelRows + row) * 2 + i % 2)]);
          const float wanted = row < n ? stored.values[static_cast<size_t>(row * k + skipped + i)] : 0;
          ASSERT_NEAR(got, wanted, std::abs(wanted) / 128 + rounding + 1e-6)
              << to_string(dtype) << " row " << row << " " << i;
        }
    }
  }
}

}  // namespace
}  // namespace cleave::kernels
