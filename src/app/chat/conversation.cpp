#include "app/chat/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <span>
#include <utility>

#include "base/error.h"

namespace cleave::app {

void Conversation::ask(const std::string& message) {
  std::vector<text::ChatMessage> messages = messages_;
  messages.push_back({"user", message});
  ask_for(std::move(messages));
}

void Conversation::ask_again() {
  if (messages_.empty() || messages_.back().role != "assistant")
    fail(ErrorKind::InvalidArgument, "there is no answer yet to give again");
  std::vector<text::ChatMessage> messages = messages_;
  messages.pop_back();
  ++sampling_.seed;  // the same numbers would give the same answer
  known_.clear();    // computed anew: the engine does not go back
  ask_for(std::move(messages));
}

void Conversation::ask_for(std::vector<text::ChatMessage> messages) {
  const std::string prompt = text_.prompt_text(with_system(messages), std::time(nullptr));
  prompt_tokens_ = start(prompt);
  prompt_ = prompt;
  messages_ = std::move(messages);
}

std::vector<text::ChatMessage> Conversation::with_system(std::vector<text::ChatMessage> messages) const {
  if (system_) messages.insert(messages.begin(), {"system", *system_});
  return messages;
}

void Conversation::answer() {
  const size_t prompt_end = engine_.tokens(*sequence_).size();
  std::string answer;
  const engine::FinishReason end = inference::stream_answer(
      engine_, *sequence_, prompt_tokens_, *text_.tokenizer, flags_.stops,
      [&](std::string_view piece) {
        answer += piece;
        output_.write(piece);
      },
      [&] { return interrupt_.requested(); }, statistics_);
  output_.write("\n");
  messages_.push_back({"assistant", answer});
  known_ = prompt_ + text_behind(prompt_end);
  if (end == engine::FinishReason::Context)
    note(fmt::format(
        "cleave: the context of {} tokens is full; /reset begins a new conversation, --context N gives more room",
        engine_.max_length()));
}

void Conversation::reset() {
  if (sequence_) engine_.release(*sequence_);
  sequence_.reset();
  messages_.clear();
  known_.clear();
}

std::string Conversation::json() const {
  return fmt::format("{{\"messages\": {}}}\n", text::to_json(with_system(messages_)));
}

int64_t Conversation::length() const {
  return sequence_ ? static_cast<int64_t>(engine_.tokens(*sequence_).size()) : 0;
}

int64_t Conversation::max_tokens(size_t prompt_tokens) const {
  return inference::max_new_tokens(flags_.max_tokens, settings_, static_cast<int64_t>(prompt_tokens))
      .value_or(engine_.max_length());
}

// Text of the sequence's tokens from a place on, special ones too. The token before goes with them, because many
// kinds drop the space that a text begins with.
std::string Conversation::text_behind(size_t begin) const {
  const std::span<const int32_t> tokens = engine_.tokens(*sequence_).subspan(begin - 1);
  const std::string all = text_.tokenizer->decode(tokens, false);
  return all.substr(std::min(all.size(), text_.tokenizer->decode(tokens.first(1), false).size()));
}

// Gives the engine a prompt, of which it may know the beginning; gives the number of tokens to compute before the
// answer. A template may write an answer otherwise than the model did (without its thoughts, say): then the
// conversation is computed anew.
int64_t Conversation::start(const std::string& prompt) {
  if (sequence_ && !known_.empty() && prompt.size() > known_.size() && prompt.starts_with(known_)) {
    const std::vector<int32_t> tokens = text_.tokenizer->encode(prompt.substr(known_.size()), false);
    engine_.resume(*sequence_, tokens, max_tokens(engine_.tokens(*sequence_).size() + tokens.size()));
    return static_cast<int64_t>(tokens.size()) + 1;  // and the last token of the answer before
  }
  engine::Request request{.prompt = text_.tokenizer->encode(prompt, false),
                          .sampling = sampling_,
                          .end_tokens = text_.end_tokens,
                          .keep = true};
  request.max_new_tokens = max_tokens(request.prompt.size());
  const auto count = static_cast<int64_t>(request.prompt.size());
  const engine::SequenceId added = engine_.add(std::move(request));
  if (sequence_) engine_.release(*sequence_);
  sequence_ = added;
  return count;
}

}  // namespace cleave::app
