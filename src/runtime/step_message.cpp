#include "runtime/step_message.h"

#include <algorithm>

#include "base/check.h"

namespace cleave::runtime {
namespace {

// Words of the first broadcast: a step of a hundred single tokens fits.
constexpr size_t kFirst = 1024;
// The message begins with its length, then numbers of tokens, sequences and output rows. Each sequence has its number
// of tokens, start position, length for rotary embeddings, state slot and number of blocks; then follow tokens, rows
// and blocks.
constexpr size_t kHeader = 4, kPerSequence = 5;

int32_t to_word(int64_t value) {
  CHECK(value >= 0 && value <= INT32_MAX);
  return static_cast<int32_t>(value);
}

}  // namespace

StepMessage::StepMessage(comm::Communicator& communicator) : communicator_(communicator), words_(kFirst) {}

void StepMessage::exchange() {
  constexpr auto kBytes = static_cast<int64_t>(sizeof(int32_t));
  communicator_.broadcast(words_.data(), static_cast<int64_t>(kFirst) * kBytes, 0);
  const auto total = static_cast<size_t>(words_[0]);
  if (total <= kFirst) return;
  words_.resize(std::max(words_.size(), total));
  communicator_.broadcast(words_.data() + kFirst, static_cast<int64_t>(total - kFirst) * kBytes, 0);
}

void StepMessage::send(const StepInput& input) {
  words_.assign(kHeader, 0);
  for (const SequenceStep& s : input.sequences)
    for (const int64_t value :
         {s.num_tokens, s.start_position, s.rope_length, s.state_slot, static_cast<int64_t>(s.blocks.size())})
      words_.push_back(to_word(value));
  words_.insert(words_.end(), input.tokens.begin(), input.tokens.end());
  words_.insert(words_.end(), input.output_rows.begin(), input.output_rows.end());
  for (const SequenceStep& s : input.sequences) words_.insert(words_.end(), s.blocks.begin(), s.blocks.end());
  words_[0] = to_word(static_cast<int64_t>(words_.size()));
  words_[1] = to_word(static_cast<int64_t>(input.tokens.size()));
  words_[2] = to_word(static_cast<int64_t>(input.sequences.size()));
  words_[3] = to_word(static_cast<int64_t>(input.output_rows.size()));
  words_.resize(std::max(words_.size(), kFirst));
  exchange();
}

void StepMessage::send_end() {
  words_.assign(kFirst, 0);
  exchange();
}

std::optional<StepInput> StepMessage::receive() {
  words_.resize(std::max(words_.size(), kFirst));
  exchange();
  if (words_[0] == 0) return std::nullopt;
  const auto tokens = static_cast<size_t>(words_[1]), sequences = static_cast<size_t>(words_[2]),
             rows = static_cast<size_t>(words_[3]);
  const std::span<const int32_t> words(words_);
  size_t next = kHeader + sequences * kPerSequence;
  const auto take = [&](size_t count) {
    next += count;
    return words.subspan(next - count, count);
  };
  StepInput input;
  input.tokens = take(tokens);
  input.output_rows = take(rows);
  sequences_.clear();
  for (size_t i = 0; i < sequences; ++i) {
    const std::span<const int32_t> s = words.subspan(kHeader + i * kPerSequence, kPerSequence);
    sequences_.push_back({s[0], s[1], s[2], take(static_cast<size_t>(s[4])), s[3]});
  }
  input.sequences = sequences_;
  return input;
}

}  // namespace cleave::runtime
