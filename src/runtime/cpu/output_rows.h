#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "runtime/cpu/row_gather.h"
#include "runtime/cpu/workspace.h"
#include "runtime/device/step.h"

namespace cleave::runtime::cpu {

/// Reads what is wanted of a program's rows of logits while they still lie in shares with the ranks: of a row of which
/// only the largest logits are wanted, only those of each share go from rank to rank. All ranks call the same functions
/// with the same arguments.
class OutputRows {
 public:
  /// Borrows the workspace.
  explicit OutputRows(const Workspace& workspace);

  /// Instructions to run before: not the last one, where that puts whole rows together and `has_wishes`.
  size_t num_instructions(bool has_wishes) const {
    return w_.program.instructions.size() - (has_wishes && gather_ ? 1 : 0);
  }
  /// What the wishes say of the rows of the step at hand, valid until the next call. Complete on rank 0.
  std::span<const RowLogits> read(std::span<const LogitsWish> wishes);
  /// All logits of some of these rows.
  std::span<const RowLogits> gather(std::span<const int32_t> rows);

 private:
  /// A row of which the largest are wanted.
  struct Part {
    int32_t row;
    LogitsWish wish;
    int64_t first;  // of its entries
  };

  void list(std::span<const LogitsWish> wishes);
  void find_largest();
  void add_up();
  void merge(const Part& part, size_t index);
  const float* share_of(int32_t row) const { return x_ + row * width_; }
  /// The token that a logit of this rank's share belongs to.
  int32_t token(int64_t place) const;

  const Workspace& w_;
  std::optional<RowGather> gather_;  // nothing where rank 0 has whole rows anyway
  const float* x_ = nullptr;         // [rows, width_]
  int64_t width_ = 0;                // of this rank's share
  Share share_;
  double quantum_;  // of sums

  // Of the step at hand; members so that their memory is used again.
  std::vector<RowLogits> rows_, gathered_;
  std::vector<int32_t> whole_;
  std::vector<float> picked_;  // shares of those
  std::vector<Part> parts_;
  int64_t num_entries_ = 0;
  std::vector<kernels::Ranked> mine_, all_, merged_;  // [entries], [ranks, entries], [entries]
  std::vector<double> my_sums_, all_sums_;            // [parts], [ranks, parts]
  std::vector<int64_t> bytes_;                        // of each rank
  std::vector<size_t> heads_;                         // of each rank's list, while they are merged
};

}  // namespace cleave::runtime::cpu
