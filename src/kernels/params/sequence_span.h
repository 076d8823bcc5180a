#pragma once

#include <cstdint>

namespace cleave::kernels {

/// The rows of a step that belong to one sequence: rows [first_row, first_row + num_rows) of the step stand at
/// positions start_position, start_position + 1, ... of the sequence. The cache holds position p in slot p % block_size
/// of block blocks[p / block_size].
struct SequenceSpan {
  int64_t first_row;
  int64_t num_rows;
  int64_t start_position;
  const int32_t* blocks;
  int64_t slot = 0;  // of the sequence's states (recurrent/recurrent.h)
};

}  // namespace cleave::kernels
