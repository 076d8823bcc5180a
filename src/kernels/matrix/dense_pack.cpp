#include "kernels/matrix/dense_pack.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/transpose.h"
#include "kernels/layout/dense_layout.h"
#include "kernels/matrix/row_source.h"

namespace cleave::kernels {
namespace {

// Elements of each row that are converted at a time: 64 KB of f32 for all rows, which stay in the second-level cache.
constexpr int64_t kChunk = 256;

// Writes converted elements into a bf16 panel. Pairs of neighbours are transposed as words. REQUIRES: `first` is even.
void put_pairs(const std::byte* const* rows, int64_t num_rows, int64_t first, int64_t count, std::byte* panel) {
  std::byte* out = panel + first * kPanelRows * 2;
  transpose_32(rows, num_rows, count / 2, out, kPanelRows);
  if (count % 2 == 0) return;
  for (int64_t r = 0; r < num_rows; ++r)
    std::memcpy(out + ((count / 2) * kPanelRows + r) * 4, rows[r] + (count - 1) * 2, 2);
}

}  // namespace

void pack_panel(DType dtype, std::span<const std::byte* const> rows, int64_t k, bool wide, const simd::Table& table,
                std::byte* panel) {
  const auto num_rows = static_cast<int64_t>(rows.size());
  const auto size = info(dtype).block_bytes;
  if (dtype == DType::F32 && wide) return transpose_32(rows.data(), num_rows, k, panel, kPanelRows);
  if (dtype == DType::BF16) return put_pairs(rows.data(), num_rows, 0, k, panel);
  std::array<std::array<float, kChunk>, kPanelRows> floats;
  std::array<std::array<uint16_t, kChunk>, kPanelRows> rounded;
  std::array<const std::byte*, kPanelRows> chunk{};
  for (int64_t first = 0; first < k; first += kChunk) {
    const int64_t count = std::min(kChunk, k - first);
    for (size_t r = 0; r < rows.size(); ++r) {
      widen(dtype, table, rows[r] + first * size, count, floats[r].data());
      if (!wide) table.to_bfloat16(floats[r].data(), count, rounded[r].data());
      chunk[r] = wide ? reinterpret_cast<const std::byte*>(floats[r].data())
                      : reinterpret_cast<const std::byte*>(rounded[r].data());
    }
    if (wide)
      transpose_32(chunk.data(), num_rows, count, panel + first * kPanelRows * 4, kPanelRows);
    else
      put_pairs(chunk.data(), num_rows, first, count, panel);
  }
}

}  // namespace cleave::kernels
