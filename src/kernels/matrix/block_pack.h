#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kernels/layout/block_layout.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// The layout that blocks of `dtype` are kept in; nothing for types that have none.
std::optional<LayoutId> layout_of(DType dtype);

/// Writes a strip (block_layout.h) of kStripRows rows with `blocks` blocks each. Rows need no alignment.
using StripPacker = void (*)(const std::byte* const* rows, int64_t blocks, std::byte* strip);

/// The one for blocks of `dtype`. REQUIRES: layout_of(dtype) is something.
StripPacker strip_packer(DType dtype);

}  // namespace cleave::kernels
