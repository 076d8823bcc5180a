#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/flags.h"
#include "app/terminal/interrupt.h"
#include "app/terminal/terminal.h"
#include "engine/engine.h"
#include "inference/answer.h"
#include "inference/chat.h"

namespace cleave::app {

/// One conversation: a sequence that the engine keeps between turns, so that only new tokens are computed. Borrows all
/// that it is made of.
class Conversation {
 public:
  /// `settings`: inference::generation_settings().
  Conversation(engine::Engine& engine, const inference::ModelText& text, const Json& settings,
               const engine::SamplingParams& sampling, const AnswerFlags& flags, const Interrupt& interrupt)
      : engine_(engine),
        text_(text),
        settings_(settings),
        sampling_(sampling),
        flags_(flags),
        interrupt_(interrupt),
        system_(flags.system) {}

  /// Queues an answer to a message. Throws Error(InvalidArgument), and changes nothing, where the context has no room
  /// for the message or the chat template refuses it.
  void ask(const std::string& message);
  /// Queues another answer to the last message, in place of the one it had. Throws as ask() does, and
  /// Error(InvalidArgument) where there is no answer yet.
  void ask_again();
  /// Writes the answer that was asked for to standard output.
  void answer();

  /// Begins anew, with the same system message.
  void reset();
  /// Sets the system message, of what was said before, too; nothing: the template's own.
  void set_system(std::optional<std::string> system) { system_ = std::move(system); }

  /// The conversation as JSON: {"messages": [...]}, which `cleave template` reads.
  std::string json() const;
  const inference::Statistics& statistics() const { return statistics_; }
  /// Tokens of the conversation so far.
  int64_t length() const;

 private:
  int64_t max_tokens(size_t prompt_tokens) const;
  std::vector<text::ChatMessage> with_system(std::vector<text::ChatMessage> messages) const;
  std::string text_behind(size_t begin) const;
  void ask_for(std::vector<text::ChatMessage> messages);
  int64_t start(const std::string& prompt);

  engine::Engine& engine_;
  const inference::ModelText& text_;
  const Json& settings_;
  engine::SamplingParams sampling_;
  const AnswerFlags& flags_;
  const Interrupt& interrupt_;
  Output output_;
  inference::Statistics statistics_;
  std::optional<std::string> system_;
  std::optional<engine::SequenceId> sequence_;
  std::vector<text::ChatMessage> messages_;  // without the system's
  std::string known_;                        // text of the tokens of the sequence
  std::string prompt_;                       // of the answer that was asked for
  int64_t prompt_tokens_ = 0;                // that are computed before it
};

}  // namespace cleave::app
