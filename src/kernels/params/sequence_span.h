#pragma once

#include <cstdint>

namespace cleave::kernels {

/// What the rows of a span are, which decides how they are computed.
enum class RowKind : uint8_t {
  ByCount,      // not said: as is fastest for their number
  Answer,       // generated tokens: as few rows are computed, however many there are
  Prompt,       // as many rows are computed, however few there are
  ShortPrompt,  // of a prompt that has few tokens: as those are computed, more exactly than many
};

/// Rows that are many for every way of computing.
inline constexpr int64_t kManyRows = 64;

/// The kind of the rows of a prompt of so many tokens in all.
constexpr RowKind kind_of_prompt(int64_t tokens) {
  return tokens < kManyRows ? RowKind::ShortPrompt : RowKind::Prompt;
}

/// The rows of a step that belong to one sequence: rows [first_row, first_row + num_rows) of the step stand at
/// positions start_position, start_position + 1, ... of the sequence. The cache holds position p in slot p % block_size
/// of block blocks[p / block_size].
struct SequenceSpan {
  int64_t first_row;
  int64_t num_rows;
  int64_t start_position;
  const int32_t* blocks;
  int64_t slot = 0;  // of the sequence's states (recurrent/recurrent.h)
  RowKind kind = RowKind::ByCount;
};

}  // namespace cleave::kernels
