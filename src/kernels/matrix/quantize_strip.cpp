#include "kernels/matrix/quantize_strip.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/transpose.h"
#include "kernels/layout/block_layout.h"
#include "kernels/matrix/row_source.h"

namespace cleave::kernels {
namespace {

constexpr int64_t kGroup = 32;
constexpr int64_t kChunk = 8 * kGroup;  // elements of all rows that are converted at a time: 16 KB

using Chunk = std::array<std::array<float, kChunk>, kStripRows>;

[[noreturn]] void refuse(const Chunk& chunk, int64_t first_row) {
  for (size_t row = 0; row < chunk.size(); ++row)
    for (const float x : chunk[row])
      if (!std::isfinite(x))
        fail(ErrorKind::Corrupt, "row {} of a weight holds {}, which cannot be quantised",
             first_row + static_cast<int64_t>(row), x);
  fail(ErrorKind::Internal, "a strip of finite weights was not quantised");
}

}  // namespace

void quantize_strip(DType dtype, std::span<const std::byte* const> rows, int64_t k, WeightFormat format,
                    const simd::Table& table, int64_t first, std::byte* strip) {
  const bool int4 = format == WeightFormat::Int4;
  const auto quantize = int4 ? table.quantize_int4 : table.quantize_int8;
  const BlockLayout& layout = kLayouts[static_cast<size_t>(int4 ? LayoutId::Q4_1 : LayoutId::Q8_0)];
  Chunk chunk{};
  for (int64_t begin = 0; begin < k; begin += kChunk) {
    const int64_t count = std::min(kChunk, k - begin);
    for (size_t row = 0; row < chunk.size(); ++row)
      widen(dtype, table, rows[row] + begin * info(dtype).block_bytes, count, chunk[row].data());
    for (int64_t i = 0; i < count; i += kGroup, strip += layout.record_bytes()) {
      std::array<const std::byte*, kStripRows> group;
      for (size_t row = 0; row < group.size(); ++row)
        group[row] = reinterpret_cast<const std::byte*>(chunk[row].data() + i);
      std::array<float, kGroup * kStripRows> x;  // [kGroup][kStripRows]
      transpose_32(group.data(), kStripRows, kGroup, reinterpret_cast<std::byte*>(x.data()), kStripRows);
      if (!quantize(x.data(), strip)) refuse(chunk, first);
    }
  }
}

}  // namespace cleave::kernels
