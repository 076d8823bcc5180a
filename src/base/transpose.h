#pragma once

#include <cstddef>
#include <cstdint>

namespace cleave {

/// Writes out[c * stride + r] = number c of row r for c in [0, columns), r in [0, count): the numbers have 16 or 32
/// bits, stride is in numbers. No alignment is needed. Four by four or eight by eight at a time in registers.
void transpose_16(const std::byte* const* rows, int64_t count, int64_t columns, std::byte* out, int64_t stride);
void transpose_32(const std::byte* const* rows, int64_t count, int64_t columns, std::byte* out, int64_t stride);

}  // namespace cleave
