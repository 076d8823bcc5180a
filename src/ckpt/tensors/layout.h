#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// Bytes of a tensor of that type and shape. Throws Error(Corrupt), naming file and tensor, where an extent is
/// negative, the rows of a block type hold no whole number of blocks, or a product does not fit into 63 bits.
int64_t checked_tensor_bytes(DType dtype, const Shape& shape, const std::string& file, std::string_view tensor);

/// Where a tensor claims to lie in its file.
struct Extent {
  uint64_t begin;  // byte offset in the data section
  uint64_t end;
  std::string_view tensor;
};

/// Throws Error(Corrupt), naming file and both tensors, where two extents overlap.
void check_no_overlap(std::vector<Extent> extents, const std::string& file);

}  // namespace cleave::ckpt
