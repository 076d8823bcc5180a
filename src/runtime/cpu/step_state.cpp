#include "runtime/cpu/step_state.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "graph/rows.h"
#include "kernels/rows/rope.h"

namespace cleave::runtime::cpu {
namespace {

using LengthRule = graph::RopeAttributes::LengthRule;

std::vector<float> to_floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// Dynamic NTK scaling (as in Transformers): beyond the original length the base grows, so that the slowest pair turns
// as far over the whole sequence as it did over the original length.
void dynamic_frequencies(const graph::RopeAttributes& rope, int64_t length, std::vector<float>& frequencies) {
  const double half = static_cast<double>(rope.inverse_frequencies.size());
  const double ratio = static_cast<double>(length) / static_cast<double>(rope.original_length);
  const double base = rope.base * std::pow(rope.factor * ratio - (rope.factor - 1), half / (half - 1));
  for (size_t i = 0; i < frequencies.size(); ++i)
    frequencies[i] = static_cast<float>(std::pow(base, -static_cast<double>(i) / half));
}

bool attends_to_later(const lower::Program& program) {
  return std::ranges::any_of(program.instructions, [](const lower::Instruction& i) {
    return i.action == lower::Action::Compute && graph::attends_to_later(i.op, i.attributes);
  });
}

// The texts that the sequences of a step attend to beside their own, as spans whose queries stand at their ends.
void append_source(const SequenceStep& sequence, int64_t row, std::vector<kernels::SequenceSpan>& spans) {
  spans.push_back(
      {row, sequence.num_tokens, sequence.source_length - sequence.num_tokens, sequence.source_blocks.data()});
}

bool attends_to_source(const lower::Program& program) {
  return std::ranges::any_of(program.instructions, [](const lower::Instruction& i) {
    const auto* attention = std::get_if<graph::AttentionAttributes>(&i.attributes);
    return i.action == lower::Action::Compute && attention != nullptr && attention->cross;
  });
}

}  // namespace

StepState::StepState(const lower::Program& program)
    : limits_(program.limits), whole_sequences_(attends_to_later(program)), needs_source_(attends_to_source(program)) {
  const auto tokens = static_cast<size_t>(limits_.max_tokens);
  token_ids_.resize(tokens);
  positions_.resize(tokens);
  token_types_.resize(tokens);
  output_rows_.resize(static_cast<size_t>(limits_.max_output_rows));
  spans_.reserve(tokens);
  source_spans_.reserve(tokens);
  runs_.reserve(tokens);
  for (const graph::RopeAttributes& attributes : program.ropes) {
    Rope rope{
        &attributes, to_floats(attributes.inverse_frequencies), to_floats(attributes.long_inverse_frequencies), {}, {},
        {}};
    const size_t half = rope.frequencies.size();
    rope.current.resize(half);
    rope.cosines.resize(tokens * half);
    rope.sines.resize(tokens * half);
    ropes_.push_back(std::move(rope));
  }
}

void StepState::check(const StepInput& input, int64_t block_size) const {
  const auto tokens = static_cast<int64_t>(input.tokens.size());
  const auto rows = static_cast<int64_t>(input.output_rows.size());
  if (tokens < 1 || tokens > limits_.max_tokens)
    fail(ErrorKind::InvalidArgument, "a step of {} tokens, wanted 1 to {}", tokens, limits_.max_tokens);
  if (rows > limits_.max_output_rows)
    fail(ErrorKind::InvalidArgument, "a step with {} rows of logits, wanted at most {}", rows, limits_.max_output_rows);
  int64_t total = 0;
  for (const SequenceStep& sequence : input.sequences) {
    const int64_t end = sequence.start_position + sequence.num_tokens;
    if (sequence.num_tokens < 1 || sequence.start_position < 0 ||
        static_cast<int64_t>(sequence.blocks.size()) * block_size < end)
      fail(ErrorKind::InvalidArgument, "a sequence with tokens {} to {} has {} blocks of {}", sequence.start_position,
           end, sequence.blocks.size(), block_size);
    if (whole_sequences_ && sequence.start_position > 0)
      fail(
          ErrorKind::InvalidArgument,
          "tokens {} to {} of a sequence without those before, where tokens attend to later ones; give all in one step",
          sequence.start_position, end);
    if (static_cast<int64_t>(sequence.source_blocks.size()) * block_size < sequence.source_length ||
        (needs_source_ && sequence.source_length < 1))
      fail(ErrorKind::InvalidArgument, "a sequence attends to a text of {} tokens in {} blocks of {}",
           sequence.source_length, sequence.source_blocks.size(), block_size);
    total += sequence.num_tokens;
  }
  if (total != tokens) fail(ErrorKind::InvalidArgument, "sequences hold {} tokens of a step of {}", total, tokens);
  if (!input.token_types.empty() && static_cast<int64_t>(input.token_types.size()) != tokens)
    fail(ErrorKind::InvalidArgument, "{} token types for {} tokens", input.token_types.size(), tokens);
  for (const int32_t row : input.output_rows)
    if (row < 0 || row >= tokens) fail(ErrorKind::InvalidArgument, "logits of row {} in a step of {}", row, tokens);
}

void StepState::begin(const StepInput& input, int64_t block_size, ThreadPool& pool) {
  check(input, block_size);
  num_tokens_ = static_cast<int64_t>(input.tokens.size());
  num_output_rows_ = static_cast<int64_t>(input.output_rows.size());
  std::ranges::copy(input.tokens, token_ids_.begin());
  std::ranges::copy(input.output_rows, output_rows_.begin());
  std::ranges::fill(token_types_, 0);
  std::ranges::copy(input.token_types, token_types_.begin());
  spans_.clear();
  source_spans_.clear();
  runs_.clear();
  int64_t row = 0;
  for (const SequenceStep& sequence : input.sequences) {
    spans_.push_back({row, sequence.num_tokens, sequence.start_position, sequence.blocks.data(), sequence.state_slot,
                      sequence.kind});
    append_source(sequence, row, source_spans_);
    if (runs_.empty() || runs_.back().kind != sequence.kind) runs_.push_back({row, row, sequence.kind});
    runs_.back().end += sequence.num_tokens;
    for (int64_t i = 0; i < sequence.num_tokens; ++i)
      positions_[static_cast<size_t>(row++)] = static_cast<int32_t>(sequence.start_position + i);
  }
  for (Rope& rope : ropes_) compute(rope, input, pool);
}

void StepState::compute(Rope& rope, const StepInput& input, ThreadPool& pool) const {
  const graph::RopeAttributes& attributes = *rope.attributes;
  const auto half = static_cast<int64_t>(rope.frequencies.size());
  const auto table = [&](int64_t first, int64_t count, const std::vector<float>& frequencies) {
    kernels::rope_table(positions_.data() + first, count, frequencies.data(), half,
                        static_cast<float>(attributes.attention_scale), rope.cosines.data() + first * half,
                        rope.sines.data() + first * half, pool);
  };
  if (attributes.length_rule == LengthRule::None) return table(0, num_tokens_, rope.frequencies);
  int64_t row = 0;
  for (const SequenceStep& sequence : input.sequences) {
    const int64_t length = std::max(sequence.rope_length, sequence.start_position + sequence.num_tokens);
    const bool beyond = length > attributes.original_length;
    if (beyond && attributes.length_rule == LengthRule::Dynamic) dynamic_frequencies(attributes, length, rope.current);
    const std::vector<float>& longer =
        attributes.length_rule == LengthRule::Dynamic ? rope.current : rope.long_frequencies;
    table(row, sequence.num_tokens, beyond ? longer : rope.frequencies);
    row += sequence.num_tokens;
  }
}

}  // namespace cleave::runtime::cpu
