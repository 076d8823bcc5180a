#include "kernels/matrix/dense_pack.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "base/transpose.h"
#include "kernels/layout/dense_layout.h"
#include "kernels/matrix/row_source.h"
#include "tensor/blocks.h"

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

constexpr uint8_t kNoNumber = 0x7f;  // of E4M3, with either sign

void put_fp8_record(std::span<const std::byte* const> rows, int64_t group, std::byte* record) {
  constexpr float kUnit = 256;  // 2^8: kernels read codes as numbers times 2^-8
  std::array<float, kPanelRows> scales{};
  std::array<const BlockFP8*, kPanelRows> blocks{};
  for (size_t r = 0; r < rows.size(); ++r) {
    blocks[r] = reinterpret_cast<const BlockFP8*>(rows[r]) + group;
    const bool numbers =
        std::ranges::none_of(blocks[r]->codes, [](uint8_t code) { return (code & kNoNumber) == kNoNumber; });
    scales[r] = numbers ? blocks[r]->scale * kUnit : std::numeric_limits<float>::quiet_NaN();
  }
  std::memcpy(record, scales.data(), sizeof scales);
  std::byte* out = record + kFp8ScaleBytes;
  for (size_t i = 0; i < kFp8Group; ++i, out += kPanelRows)
    for (size_t r = 0; r < rows.size(); ++r) out[r] = static_cast<std::byte>(blocks[r]->codes[i]);
}

}  // namespace

void pack_panel(DType dtype, std::span<const std::byte* const> rows, int64_t k, PanelForm form,
                const simd::Table& table, std::byte* panel) {
  if (form == PanelForm::Fp8) {
    for (int64_t group = 0; group < k / kFp8Group; ++group)
      put_fp8_record(rows, group, panel + group * kFp8RecordBytes);
    return;
  }
  const bool wide = form == PanelForm::F32;
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
