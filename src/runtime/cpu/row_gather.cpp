#include "runtime/cpu/row_gather.h"

#include <algorithm>

namespace cleave::runtime::cpu {
namespace {

// Whether the shares, one after another, are the whole row.
bool in_rank_order(std::span<const Share> shares) {
  int64_t next = 0;
  for (const Share& share : shares)
    for (const plan::Interval& interval : share) {
      if (interval.begin != next) return false;
      next = interval.end;
    }
  return true;
}

}  // namespace

int64_t width_of(const Share& share) {
  int64_t width = 0;
  for (const plan::Interval& interval : share) width += interval.size();
  return width;
}

RowGather::RowGather(const lower::Instruction& instruction, const Workspace& workspace)
    : w_(workspace),
      shares_(instruction.as<lower::Shares>().of_rank),
      to_all_(instruction.action == lower::Action::AllGather),
      width_(num_elements(instruction.output_shape)),
      ordered_(in_rank_order(shares_)),
      bytes_(shares_.size()) {
  for (const Share& share : shares_) widths_.push_back(width_of(share));
}

// Each rank's rows arrive in one block; its elements go to their places in the whole rows. A single row of shares in
// rank order arrives in place: the logits of a token are half a megabyte.
void RowGather::run(const float* x, int64_t rows, float* y) {
  const bool in_place = rows == 1 && ordered_;
  for (size_t r = 0; r < widths_.size(); ++r) bytes_[r] = rows * widths_[r] * static_cast<int64_t>(sizeof(float));
  auto* blocks = in_place ? y : reinterpret_cast<float*>(w_.scratch.data());
  if (to_all_)
    w_.communicator.all_gather(x, blocks, bytes_);
  else
    w_.communicator.gather(x, blocks, bytes_, 0);
  if (in_place || (!to_all_ && w_.communicator.rank() != 0)) return;
  const float* block = blocks;
  for (const Share& share : shares_)
    for (int64_t row = 0; row < rows; ++row)
      for (const plan::Interval& part : share) {
        std::copy_n(block, part.size(), y + row * width_ + part.begin);
        block += part.size();
      }
}

}  // namespace cleave::runtime::cpu
