#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/layout/block_layout.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// The layout into which blocks of `dtype` are packed; nothing for types that have none.
std::optional<LayoutId> layout_of(DType dtype);

/// A function that writes kStripRows rows of `blocks` blocks each as one strip (layout/block_layout.h). Rows need no
/// alignment.
using StripPacker = void (*)(const std::byte* const* rows, int64_t blocks, std::byte* strip);

/// The packer for blocks of `dtype`. REQUIRES: layout_of(dtype) has a value.
StripPacker strip_packer(DType dtype);

}  // namespace cleave::kernels
