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

  /// Reads biases by distance, which may be a step's own, where there are some. To be called in a step before params().
  void read_biases();

  /// Valid as long as this object stands where it is.
  kernels::AttentionParams params() const;

 private:
  kernels::AttentionParams plain_;  // without what this object owns
  std::vector<float> slopes_;       // [q_heads], or none
  const float* table_ = nullptr;    // [rows, q_heads]: biases; null: there are none
  std::vector<int64_t> rows_;       // [2n + 1]: of the table, by distance
  std::vector<float> biases_;       // [q_heads, 2n + 1]
};

}  // namespace cleave::runtime::cpu
