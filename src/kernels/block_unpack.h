#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/block_layout.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// One block of a row taken apart: levels widened to bytes (indices where the layout has a codebook), scales as stored.
struct UnpackedBlock {
  uint8_t levels[256];
  uint16_t scale;
  uint16_t minimum;    // with the sign with which it is added
  uint8_t scales[16];  // per group, where the layout has small scales; Nibbles: scale and minimum
  uint8_t minima[16];
};

/// The layout that blocks of `dtype` are kept in; nothing for types that have none.
std::optional<LayoutId> layout_of(DType dtype);

/// Takes apart one block, info(dtype).block_bytes at `block`. REQUIRES: layout_of(dtype) is something.
void unpack_block(DType dtype, const std::byte* block, UnpackedBlock& out);

/// Writes a block of row `row` (of kStripRows) into its record of a strip.
void pack_block(const BlockLayout& layout, const UnpackedBlock& block, int row, std::byte* record);

}  // namespace cleave::kernels
