#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/matrix.h"
#include "tensor/dtype.h"

namespace cleave::kernels {

/// Reads rows of a matrix for packing, one object per thread: checks their size and converts where asked.
class RowSource {
 public:
  RowSource(DType dtype, int64_t k, RowReader rows);

  /// The row as stored; valid until the next call. Throws Error(InvalidArgument) where the reader gives a wrong size.
  std::span<const std::byte> bytes(int64_t row);

  /// The row in f32; valid until the next call.
  std::span<const float> floats(int64_t row);

 private:
  DType dtype_;
  int64_t k_;
  RowReader rows_;
  std::vector<std::byte> buffer_;
  std::vector<float> floats_;
};

}  // namespace cleave::kernels
