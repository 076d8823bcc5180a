#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ckpt/quantized/grid.h"
#include "ckpt/quantized/ints.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// Numbers of which there is one for each row and group of a matrix, times a factor. Of a floating-point type.
struct GroupNumbers {
  TensorView stored;
  Grid grid;  // of rows and groups
  float factor = 1;

  float at(int64_t row, int64_t group) const;
};

/// What is added to a group's level times its scale.
struct Offset {
  enum class Kind : uint8_t {
    Middle,      // -scale * 2^(bits - 1)
    PackedZero,  // -scale * (integer + more)
    FloatZero,   // -scale * number
    Minimum,     // number
  };
  Kind kind = Kind::Middle;
  std::shared_ptr<const Ints> zeros = nullptr;  // PackedZero
  bool zeros_by_group = false;                  // the rows of `zeros` are groups
  int more = 0;                                 // added to every integer
  GroupNumbers numbers = {};                    // FloatZero, Minimum
};

/// A matrix of integer levels, groups of which have a scale and an offset: every format of that kind becomes this.
/// Element (row, i) is scale * level + offset, of the group of i.
struct GroupedMatrix {
  std::string name;   // for messages
  Shape shape;        // the last dimension is the inputs; all others together the rows
  int64_t group = 0;  // inputs that share scale and offset; the last group of a row may be short
  std::shared_ptr<const Ints> levels;
  GroupNumbers scales;
  Offset offset;
  std::vector<int32_t> group_of = {};  // of each input; empty: i / group
  std::vector<int32_t> order = {};     // stored column of each column; empty: they are as stored
  std::vector<TensorView> parts = {};  // all stored tensors that it is made of
};

/// The matrix as a tensor: of INTb_Gn or UINTb_Gn blocks (tensor/blocks.h) where groups are runs of inputs, a multiple
/// of 32 divides them, and scales and offsets fit the half-precision numbers of packed weights; otherwise of F32
/// numbers, with sorted columns beside them where those would be blocks. Levels of 1, 5 and 6 bits are widened to 8.
/// Reading throws Error(Unsupported) where a scale or an offset turns out to be no half-precision number.
Tensor grouped_tensor(GroupedMatrix matrix);

}  // namespace cleave::ckpt
