#pragma once

#include <vector>

#include "kernels/params/attention_params.h"
#include "runtime/cpu/workspace.h"

namespace cleave::runtime::cpu {

/// What an attention instruction tells its kernel, beside queries, keys and values. Owns the numbers that parameters
/// point to.
class AttentionArguments {
 public:
  /// Borrows the workspace's weights.
  AttentionArguments(const lower::Instruction& instruction, const Workspace& workspace);

  /// Valid as long as this object stands where it is.
  kernels::AttentionParams params() const;

 private:
  kernels::AttentionParams plain_;  // without what this object owns
  std::vector<float> slopes_;       // [q_heads], or none
};

}  // namespace cleave::runtime::cpu
