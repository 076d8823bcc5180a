#pragma once

#include <cstdint>

namespace cleave::kernels {

/// Rows [first_row, first_row + num_rows) of a step belong to one sequence and stand at positions start_position,
/// start_position + 1, ... Position p of the sequence lives in block blocks[p / block_size], slot p % block_size.
struct SequenceSpan {
  int64_t first_row;
  int64_t num_rows;
  int64_t start_position;
  const int32_t* blocks;
  int64_t slot = 0;  // where the sequence's states are (recurrent.h)
};

}  // namespace cleave::kernels
