#include "runtime/command.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>

#include "base/check.h"

namespace cleave::runtime {
namespace {

// Words of the first broadcast: a step of a hundred single tokens fits.
constexpr size_t kFirst = 1024;

// Words at the beginning of a message. Behind them a step has kPerSequence words for each sequence, then tokens, output
// rows, two words for each wish, token types and blocks; a load has the bytes of its description.
enum Word : size_t {
  kTotal,  // words of the message
  kKind,
  kModel,
  kProgram,
  kTokens,
  kSequences,
  kRows,
  kWishes,
  kTypes,
  kDescription,  // bytes
  kHeader,       // words of all that
};

// Of a sequence: number of tokens, start position, length for rotary embeddings, state slot, number of blocks, one more
// than the slots of restored and of saved states, kind of its rows, number of blocks and length of the text that it
// attends to.
constexpr size_t kPerSequence = 10;

constexpr size_t kWordBytes = sizeof(int32_t);

int32_t to_word(int64_t value) {
  CHECK(value >= 0 && value <= INT32_MAX);
  return static_cast<int32_t>(value);
}

int32_t to_word(size_t value) {
  return to_word(static_cast<int64_t>(value));
}

}  // namespace

CommandChannel::CommandChannel(comm::Communicator& communicator) : communicator_(communicator), words_(kFirst) {}

void CommandChannel::broadcast() {
  communicator_.broadcast(words_.data(), static_cast<int64_t>(kFirst * kWordBytes), 0);
  const auto total = static_cast<size_t>(words_[kTotal]);
  if (total <= kFirst) return;
  words_.resize(std::max(words_.size(), total));
  communicator_.broadcast(words_.data() + kFirst, static_cast<int64_t>((total - kFirst) * kWordBytes), 0);
}

void CommandChannel::append(const StepInput& input) {
  for (const SequenceStep& s : input.sequences)
    for (const int64_t value :
         {s.num_tokens, s.start_position, s.rope_length, s.state_slot, static_cast<int64_t>(s.blocks.size()),
          s.restored_slot + 1, s.saved_slot + 1, static_cast<int64_t>(s.kind),
          static_cast<int64_t>(s.source_blocks.size()), s.source_length})
      words_.push_back(to_word(value));
  words_.insert(words_.end(), input.tokens.begin(), input.tokens.end());
  words_.insert(words_.end(), input.output_rows.begin(), input.output_rows.end());
  for (const LogitsWish& wish : input.wishes)
    words_.insert(words_.end(), {wish.top, std::bit_cast<int32_t>(wish.scale)});
  words_.insert(words_.end(), input.token_types.begin(), input.token_types.end());
  for (const SequenceStep& s : input.sequences) {
    words_.insert(words_.end(), s.blocks.begin(), s.blocks.end());
    words_.insert(words_.end(), s.source_blocks.begin(), s.source_blocks.end());
  }
}

void CommandChannel::send(const Command& command) {
  words_.assign(kHeader, 0);
  words_[kKind] = static_cast<int32_t>(command.kind);
  words_[kModel] = command.model;
  words_[kProgram] = command.program;
  words_[kTokens] = to_word(command.input.tokens.size());
  words_[kSequences] = to_word(command.input.sequences.size());
  words_[kRows] = to_word(command.input.output_rows.size());
  words_[kWishes] = to_word(command.input.wishes.size());
  words_[kTypes] = to_word(command.input.token_types.size());
  words_[kDescription] = to_word(command.description.size());
  append(command.input);
  if (const size_t bytes = command.description.size(); bytes > 0) {
    const size_t begin = words_.size();
    words_.resize(begin + (bytes + kWordBytes - 1) / kWordBytes);
    std::memcpy(words_.data() + begin, command.description.data(), bytes);
  }
  words_[kTotal] = to_word(words_.size());
  words_.resize(std::max(words_.size(), kFirst));
  broadcast();
}

StepInput CommandChannel::read_step() {
  const std::span<const int32_t> words(words_);
  const auto sequences = static_cast<size_t>(words_[kSequences]);
  size_t next = kHeader + sequences * kPerSequence;
  const auto take = [&](int32_t count) {
    next += static_cast<size_t>(count);
    return words.subspan(next - static_cast<size_t>(count), static_cast<size_t>(count));
  };
  StepInput input;
  input.tokens = take(words_[kTokens]);
  input.output_rows = take(words_[kRows]);
  wishes_.clear();
  for (int32_t i = 0; i < words_[kWishes]; ++i) {
    const std::span<const int32_t> wish = take(2);
    wishes_.push_back({wish[0], std::bit_cast<float>(wish[1])});
  }
  input.wishes = wishes_;
  input.token_types = take(words_[kTypes]);
  sequences_.clear();
  for (size_t i = 0; i < sequences; ++i) {
    const std::span<const int32_t> s = words.subspan(kHeader + i * kPerSequence, kPerSequence);
    const std::span<const int32_t> blocks = take(s[4]);
    sequences_.push_back(
        {s[0], s[1], s[2], blocks, s[3], s[5] - 1, s[6] - 1, static_cast<kernels::RowKind>(s[7]), take(s[8]), s[9]});
  }
  input.sequences = sequences_;
  return input;
}

Command CommandChannel::receive() {
  words_.resize(std::max(words_.size(), kFirst));
  broadcast();
  Command command{static_cast<Command::Kind>(words_[kKind]), words_[kModel], words_[kProgram]};
  if (command.kind == Command::Kind::Step || command.kind == Command::Kind::Logits) command.input = read_step();
  if (command.kind == Command::Kind::Load)
    command.description = {reinterpret_cast<const char*>(words_.data() + kHeader),
                           static_cast<size_t>(words_[kDescription])};
  return command;
}

}  // namespace cleave::runtime
