#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/layout/block_layout.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// The layout into which blocks of `dtype` are packed; nothing for types that have none.
std::optional<LayoutId> layout_of(DType dtype);

/// The same layout with the number of groups that it has for rows of k elements. REQUIRES: layout_of(dtype) has a
/// value; k is a multiple of the type's block.
BlockLayout block_layout(DType dtype, int64_t k);

/// A function that writes kStripRows rows of k elements as one strip of `layout`, which block_layout() gave. Rows need
/// no alignment.
using StripPacker = void (*)(const std::byte* const* rows, int64_t k, const BlockLayout& layout, std::byte* strip);

/// The packer for blocks of `dtype`. REQUIRES: layout_of(dtype) has a value.
StripPacker strip_packer(DType dtype);

}  // namespace cleave::kernels
