#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/engine.h"

namespace cleave::engine {

inline constexpr int32_t kVocabulary = 97;

/// The token that follows a text in the answers of FakeModel.
inline int32_t successor(std::span<const int32_t> text) {
  uint32_t hash = 2166136261u;
  for (const int32_t token : text) hash = (hash ^ static_cast<uint32_t>(token)) * 16777619u;
  return static_cast<int32_t>(hash % kVocabulary);
}

/// A machine in place of a model. Its cache holds token ids: a logit row has its maximum at the successor of all that
/// it reads there through the block table, so an answer is right only if every block, position and chunk is. Where
/// there are slots for states, each holds the text of its sequence, added to from step to step, and must agree; so do
/// snapshots. Where limits have recompute_lengths, all that a row reads must have been written on its side of each.
class FakeModel final : public StepModel {
 public:
  explicit FakeModel(const StepLimits& limits)
      : limits_(limits),
        cache_(static_cast<size_t>(limits.num_blocks * limits.block_size), -1),
        turned_(cache_.size(), -1),
        states_(static_cast<size_t>(limits.num_state_slots + limits.num_snapshots)) {}

  StepLimits limits() const override { return limits_; }
  double exchange_seconds() const override { return exchanged; }

  runtime::StepOutput step(const runtime::StepInput& input) override {
    ++num_steps;
    if (on_step) on_step(input);
    step_sizes.push_back(static_cast<int64_t>(input.tokens.size()));
    computed += static_cast<int64_t>(input.tokens.size());
    EXPECT_LE(static_cast<int64_t>(input.output_rows.size()), limits_.max_output_rows);
    logits_.assign(input.output_rows.size() * kVocabulary, 0.0f);
    size_t token = 0, row = 0;
    for (const runtime::SequenceStep& sequence : input.sequences) {
      if (sequence.restored_slot >= 0) state(sequence.state_slot) = state(sequence.restored_slot);
      rope_lengths.push_back(sequence.rope_length);
      for (int64_t i = 0; i < sequence.num_tokens; ++i, ++token) {
        cache_.at(slot(sequence, sequence.start_position + i)) = input.tokens[token];
        turned_.at(slot(sequence, sequence.start_position + i)) = num_passed(sequence);
        add_to_state(sequence, sequence.start_position + i, input.tokens[token]);
        if (row < input.output_rows.size() && input.output_rows[row] == static_cast<int32_t>(token))
          logits_[row++ * kVocabulary + static_cast<size_t>(read(sequence, sequence.start_position + i + 1))] = 1;
      }
      if (sequence.saved_slot >= 0) state(sequence.saved_slot) = state(sequence.state_slot);
    }
    EXPECT_EQ(row, input.output_rows.size());
    EXPECT_EQ(row, input.wishes.size());
    tops_.resize(row);
    rows_.clear();
    for (size_t i = 0; i < row; ++i) rows_.push_back(told(i, input.wishes[i]));
    return {.rows = rows_};
  }

  std::span<const runtime::RowLogits> logits(std::span<const int32_t> rows) override {
    num_whole_rows += std::ssize(rows);
    rows_.clear();
    for (const int32_t row : rows) rows_.push_back({.all = whole(static_cast<size_t>(row))});
    return rows_;
  }

  std::function<void(const runtime::StepInput&)> on_step = {};
  double exchanged = 0;  // seconds
  int num_steps = 0;
  int64_t computed = 0;        // tokens over all steps
  int64_t num_whole_rows = 0;  // that were asked for behind a step
  std::vector<int64_t> step_sizes;
  std::vector<int64_t> rope_lengths;

 private:
  std::span<const float> whole(size_t row) const { return std::span(logits_).subspan(row * kVocabulary, kVocabulary); }
  runtime::RowLogits told(size_t row, const runtime::LogitsWish& wish) {
    if (wish.top == 0) return {.all = whole(row)};
    std::vector<kernels::Ranked>& top = tops_[row];
    top.resize(static_cast<size_t>(wish.top));
    top.resize(static_cast<size_t>(kernels::largest(whole(row).data(), kVocabulary, wish.top, top.data())));
    const double sum = kernels::exp_sum(whole(row).data(), kVocabulary, top[0].value, wish.scale, 0x1p-40);
    return {.top = top, .is_complete = std::ssize(top) < wish.top, .sum = sum};
  }
  std::vector<int32_t>& state(int64_t slot) { return states_.at(static_cast<size_t>(slot)); }
  size_t slot(const runtime::SequenceStep& sequence, int64_t position) const {
    const int32_t block = sequence.blocks[static_cast<size_t>(position / limits_.block_size)];
    return static_cast<size_t>(block * limits_.block_size + position % limits_.block_size);
  }
  int64_t num_passed(const runtime::SequenceStep& sequence) const {
    return std::ranges::count_if(limits_.recompute_lengths,
                                 [&](int64_t length) { return length < sequence.rope_length; });
  }
  void add_to_state(const runtime::SequenceStep& sequence, int64_t position, int32_t token) {
    if (states_.empty()) return;
    std::vector<int32_t>& state = states_.at(static_cast<size_t>(sequence.state_slot));
    if (position == 0) state.clear();
    state.push_back(token);
  }
  int32_t read(const runtime::SequenceStep& sequence, int64_t length) {
    std::vector<int32_t> text;
    for (int64_t p = 0; p < length; ++p) {
      text.push_back(cache_.at(slot(sequence, p)));
      EXPECT_EQ(turned_.at(slot(sequence, p)), num_passed(sequence)) << "position " << p;
    }
    if (!states_.empty()) {
      EXPECT_EQ(states_[static_cast<size_t>(sequence.state_slot)], text);
    }
    return successor(text);
  }

  StepLimits limits_;
  std::vector<int32_t> cache_;
  std::vector<int64_t> turned_;  // of each position in the cache: recompute_lengths that its sequence had passed
  std::vector<std::vector<int32_t>> states_;  // by slot
  std::vector<float> logits_;
  std::vector<std::vector<kernels::Ranked>> tops_;
  std::vector<runtime::RowLogits> rows_;
};

/// Blocks have four positions.
inline StepLimits limits(int64_t max_tokens, int64_t num_blocks, int64_t rows = 8) {
  return {.vocab_size = kVocabulary,
          .max_tokens = max_tokens,
          .max_output_rows = rows,
          .num_blocks = num_blocks,
          .block_size = 4};
}

inline std::vector<int32_t> prompt(int seed, int length) {
  std::vector<int32_t> tokens;
  for (int i = 0; i < length; ++i) tokens.push_back((seed * 31 + i * 7) % kVocabulary);
  return tokens;
}

inline std::vector<int32_t> expected_answer(std::vector<int32_t> text, int count) {
  const size_t begin = text.size();
  for (int i = 0; i < count; ++i) text.push_back(successor(text));
  return {text.begin() + static_cast<std::ptrdiff_t>(begin), text.end()};
}

/// Generated tokens by sequence.
using Answers = std::map<SequenceId, std::vector<int32_t>>;

/// Steps until nothing is left to compute.
inline Answers run(Engine& engine, const std::function<void(const NewToken&)>& on_token = {}) {
  Answers answers;
  while (engine.step([&](const NewToken& token) {
    if (token.token) answers[token.sequence].push_back(*token.token);
    if (on_token) on_token(token);
  })) {
  }
  return answers;
}

/// The message of the Error(InvalidArgument) that `call` throws.
inline std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::InvalidArgument);
    return error.what();
  }
  return "no error";
}

}  // namespace cleave::engine
