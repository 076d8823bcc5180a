#include "runtime/cpu/output_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/rows/largest.h"
#include "kernels/work_sharing.h"

namespace cleave::runtime::cpu {
namespace {

using kernels::Ranked;

// What fills a list that has fewer numbers.
constexpr Ranked kNothing{-std::numeric_limits<float>::infinity(), -1};

// The last instruction, where it puts whole rows together for rank 0.
const lower::Instruction* final_gather(const lower::Program& program) {
  const lower::Instruction& last = program.instructions.back();
  return last.action == lower::Action::Gather ? &last : nullptr;
}

}  // namespace

OutputRows::OutputRows(const Workspace& workspace)
    : w_(workspace), bytes_(static_cast<size_t>(workspace.communicator.size())) {
  const int rank = w_.communicator.rank();
  if (const lower::Instruction* gather = final_gather(w_.program)) {
    gather_.emplace(*gather, w_);
    x_ = w_.numbers(gather->inputs[0]);
    share_ = gather->as<lower::Shares>().of_rank[static_cast<size_t>(rank)];
  } else {
    x_ = w_.numbers(w_.program.output);
    if (rank == 0) share_ = {{0, w_.program.output_width}};
  }
  width_ = width_of(share_);
  // The largest sum is about 2^52 of it.
  quantum_ = std::ldexp(1.0, std::bit_width(static_cast<uint64_t>(w_.program.output_width)) - 52);
}

std::span<const RowLogits> OutputRows::read(std::span<const LogitsWish> wishes) {
  list(wishes);
  rows_.assign(wishes.size(), {});
  const std::span<const RowLogits> whole = gather(whole_);
  for (size_t i = 0; i < whole.size(); ++i) rows_[static_cast<size_t>(whole_[i])] = whole[i];
  if (parts_.empty()) return rows_;
  find_largest();
  add_up();
  if (w_.communicator.rank() != 0) return rows_;
  merged_.resize(std::max(merged_.size(), mine_.size()));
  for (size_t i = 0; i < parts_.size(); ++i) merge(parts_[i], i);
  return rows_;
}

// Divides the rows into those of which all logits are wanted and the others.
void OutputRows::list(std::span<const LogitsWish> wishes) {
  whole_.clear();
  parts_.clear();
  num_entries_ = 0;
  for (int32_t row = 0; row < std::ssize(wishes); ++row) {
    const LogitsWish& wish = wishes[static_cast<size_t>(row)];
    if (wish.top == 0) {
      whole_.push_back(row);
      continue;
    }
    parts_.push_back({row, wish, num_entries_});
    num_entries_ += wish.top;
  }
}

std::span<const RowLogits> OutputRows::gather(std::span<const int32_t> rows) {
  gathered_.assign(rows.size(), {});
  if (rows.empty()) return gathered_;
  const auto width = static_cast<size_t>(w_.program.output_width);
  if (!gather_) {
    for (size_t i = 0; i < rows.size(); ++i) gathered_[i].all = {x_ + rows[i] * w_.program.output_width, width};
    return gathered_;
  }
  picked_.resize(rows.size() * static_cast<size_t>(width_));
  auto to = picked_.begin();
  for (const int32_t row : rows) to = std::copy_n(share_of(row), width_, to);
  float* y = w_.value(w_.program.output.index);
  gather_->run(picked_.data(), std::ssize(rows), y);
  for (size_t i = 0; i < rows.size(); ++i) gathered_[i].all = {y + i * width, width};
  return gathered_;
}

// Every rank gets the largest of every other one's share.
void OutputRows::find_largest() {
  mine_.assign(static_cast<size_t>(num_entries_), kNothing);
  all_.resize(mine_.size() * bytes_.size());
  w_.pool.parallel_for(std::ssize(parts_), kernels::row_grain(width_), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Part& part = parts_[static_cast<size_t>(i)];
      Ranked* out = mine_.data() + part.first;
      const int64_t found = kernels::largest(share_of(part.row), width_, part.wish.top, out);
      for (int64_t k = 0; k < found; ++k) out[k].index = token(out[k].index);
    }
  });
  std::ranges::fill(bytes_, num_entries_ * static_cast<int64_t>(sizeof(Ranked)));
  w_.communicator.all_gather(mine_.data(), all_.data(), bytes_);
}

int32_t OutputRows::token(int64_t place) const {
  for (const plan::Interval& interval : share_) {
    if (place < interval.size()) return static_cast<int32_t>(interval.begin + place);
    place -= interval.size();
  }
  return -1;
}

// The sums of all shares, where a row wants one: of powers of the distance to the largest logit of all.
void OutputRows::add_up() {
  if (std::ranges::none_of(parts_, [](const Part& part) { return part.wish.scale != 0; })) return;
  my_sums_.assign(parts_.size(), 0);
  all_sums_.resize(parts_.size() * bytes_.size());
  w_.pool.parallel_for(std::ssize(parts_), kernels::row_grain(width_), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Part& part = parts_[static_cast<size_t>(i)];
      if (part.wish.scale == 0) continue;
      float peak = kNothing.value;
      for (size_t rank = 0; rank < bytes_.size(); ++rank)
        peak = std::max(peak, all_[rank * mine_.size() + static_cast<size_t>(part.first)].value);
      my_sums_[static_cast<size_t>(i)] = kernels::exp_sum(share_of(part.row), width_, peak, part.wish.scale, quantum_);
    }
  });
  std::ranges::fill(bytes_, std::ssize(parts_) * static_cast<int64_t>(sizeof(double)));
  w_.communicator.gather(my_sums_.data(), all_sums_.data(), bytes_, 0);
}

// Puts the lists and sums of all ranks together.
void OutputRows::merge(const Part& part, size_t index) {
  const auto count = static_cast<size_t>(part.wish.top), first = static_cast<size_t>(part.first);
  RowLogits& row = rows_[static_cast<size_t>(part.row)];
  heads_.assign(bytes_.size(), 0);
  size_t found = 0;
  for (; found < count; ++found) {
    const Ranked* best = &kNothing;
    size_t of = 0;
    for (size_t rank = 0; rank < heads_.size(); ++rank) {
      if (heads_[rank] == count) continue;
      const Ranked& next = all_[rank * mine_.size() + first + heads_[rank]];
      if (next.index < 0 || (best->index >= 0 && !kernels::is_ahead(next, *best))) continue;
      best = &next;
      of = rank;
    }
    if (best->index < 0) break;
    merged_[first + found] = *best;
    ++heads_[of];
  }
  row.top = {merged_.data() + first, found};
  row.is_complete = found < count;
  if (part.wish.scale == 0) return;
  for (size_t rank = 0; rank < heads_.size(); ++rank) row.sum += all_sums_[rank * parts_.size() + index];
}

}  // namespace cleave::runtime::cpu
