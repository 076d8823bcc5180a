#pragma once

#include <cstddef>
#include <cstdint>

namespace cleave {

/// Transposes `count` rows of `columns` numbers of 16 or 32 bits: out[c * stride + r] = number c of rows[r], with the
/// stride counted in numbers. Neither rows nor `out` need be aligned.
void transpose_16(const std::byte* const* rows, int64_t count, int64_t columns, std::byte* out, int64_t stride);
void transpose_32(const std::byte* const* rows, int64_t count, int64_t columns, std::byte* out, int64_t stride);

}  // namespace cleave
