#pragma once

#include <cstdint>
#include <vector>

#include "lower/program.h"
#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

/// The elements of a row that one rank has, in order.
using Share = std::vector<plan::Interval>;

int64_t width_of(const Share& share);

/// Puts rows together of which each rank has a share: what a Gather or an AllGather does.
class RowGather {
 public:
  /// Borrows both. Uses the workspace's scratch.
  RowGather(const lower::Instruction& instruction, const Workspace& workspace);

  /// Writes y [rows, width of the output] from x [rows, width of the share] of each rank; of a Gather on rank 0 alone.
  void run(const float* x, int64_t rows, float* y);

 private:
  const Workspace& w_;
  const std::vector<Share>& shares_;
  const bool to_all_;
  const int64_t width_;
  const bool ordered_;           // whether the shares, one after another, are the whole row
  std::vector<int64_t> widths_;  // of the shares
  std::vector<int64_t> bytes_;
};

}  // namespace cleave::runtime::cpu
