#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <span>

#include "app/commands.h"
#include "app/flags.h"
#include "app/run_model.h"
#include "app/terminal/interrupt.h"
#include "app/terminal/line_reader.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "engine/ranks_step_model.h"
#include "inference/answer.h"
#include "inference/chat.h"

namespace cleave::app {
namespace {

// A conversation has room for this many tokens where neither the user nor the model says less. Memory of the key-value
// cache is taken as it is used.
constexpr int64_t kDefaultContext = 8192;

struct ChatFlags {
  ModelFlags model;
  inference::SamplingOptions sampling;
  AnswerFlags answer;
};

/// One conversation: a sequence that the engine keeps between turns, so that only new tokens are computed.
class Conversation {
 public:
  Conversation(engine::Engine& engine, const inference::ModelText& text, const engine::SamplingParams& sampling,
               const AnswerFlags& flags, const Interrupt& interrupt)
      : engine_(engine), text_(text), sampling_(sampling), flags_(flags), interrupt_(interrupt) {}

  /// Writes the answer to standard output. Throws Error(InvalidArgument), and changes nothing, where the context has no
  /// room for the message or the chat template refuses it.
  void answer(const std::string& message) {
    std::vector<text::ChatMessage> messages = messages_;
    if (messages.empty()) {
      messages = inference::ModelText::conversation(message, flags_.system);
    } else {
      messages.push_back({"user", message});
    }
    const std::string prompt = text_.prompt_text(messages, std::time(nullptr));
    const int64_t prompt_tokens = start(prompt);
    messages_ = std::move(messages);
    const size_t prompt_end = engine_.tokens(*sequence_).size();
    std::string answer;
    const engine::FinishReason end = inference::stream_answer(
        engine_, *sequence_, prompt_tokens, *text_.tokenizer, flags_.stops,
        [&](std::string_view piece) {
          answer += piece;
          output_.write(piece);
        },
        [&] { return interrupt_.requested(); }, statistics_);
    output_.write("\n");
    messages_.push_back({"assistant", answer});
    known_ = prompt + text_behind(prompt_end);
    if (end == engine::FinishReason::Context)
      note(fmt::format(
          "cleave: the context of {} tokens is full; /reset begins a new conversation, --context N gives more room",
          engine_.max_length()));
  }

  void reset() {
    if (sequence_) engine_.release(*sequence_);
    sequence_.reset();
    messages_.clear();
  }

  const inference::Statistics& statistics() const { return statistics_; }

 private:
  int64_t max_tokens() const { return flags_.max_tokens.value_or(engine_.max_length()); }

  // Text of the sequence's tokens from a place on, special ones too. The token before goes with them, because many
  // kinds drop the space that a text begins with.
  std::string text_behind(size_t begin) const {
    const std::span<const int32_t> tokens = engine_.tokens(*sequence_).subspan(begin - 1);
    const std::string all = text_.tokenizer->decode(tokens, false);
    return all.substr(std::min(all.size(), text_.tokenizer->decode(tokens.first(1), false).size()));
  }

  // Gives the engine a prompt, of which it may know the beginning; gives the number of tokens to compute before the
  // answer. A template may write an answer otherwise than the model did (without its thoughts, say): then the
  // conversation is computed anew.
  int64_t start(const std::string& prompt) {
    if (sequence_ && prompt.size() > known_.size() && prompt.starts_with(known_)) {
      const std::vector<int32_t> tokens = text_.tokenizer->encode(prompt.substr(known_.size()), false);
      engine_.resume(*sequence_, tokens, max_tokens());
      return static_cast<int64_t>(tokens.size()) + 1;  // and the last token of the answer before
    }
    engine::Request request{.prompt = text_.tokenizer->encode(prompt, false),
                            .sampling = sampling_,
                            .max_new_tokens = max_tokens(),
                            .end_tokens = text_.end_tokens,
                            .keep = true};
    const auto count = static_cast<int64_t>(request.prompt.size());
    if (sequence_) engine_.release(*sequence_);
    sequence_.reset();
    sequence_ = engine_.add(std::move(request));
    return count;
  }

  engine::Engine& engine_;
  const inference::ModelText& text_;
  const engine::SamplingParams sampling_;
  const AnswerFlags& flags_;
  const Interrupt& interrupt_;
  Output output_;
  inference::Statistics statistics_;
  std::optional<engine::SequenceId> sequence_;
  std::vector<text::ChatMessage> messages_;
  std::string known_;  // text of the tokens of the sequence
};

// A line that the context has no room for is no reason to lose a conversation, if there is a person to tell.
void answer_or_explain(Conversation& conversation, const std::string& message, bool person) {
  try {
    conversation.answer(message);
  } catch (const Error& error) {
    if (!person || error.kind() != ErrorKind::InvalidArgument) throw;
    note(fmt::format("cleave: {} (/reset begins a new conversation)", error.what()));
  }
}

// Lines in, answers out, until the input ends. Ctrl-C ends an answer; it ends the conversation where none is being
// given, or where there is no person to go on with. Gives the exit code.
int converse(Conversation& conversation, Interrupt& interrupt) {
  const bool person = input_is_terminal();
  if (person) note("Type a message. /reset begins a new conversation, /exit or Ctrl-D ends.");
  LineReader lines;
  for (;;) {
    if (person) show("> ");
    const std::optional<std::string> line = lines.next(interrupt);
    if (!line && person) show("\n");  // Ctrl-C and Ctrl-D leave the cursor behind the prompt
    if (!line) return interrupt.requested() && !person ? kInterruptedExit : 0;
    if (*line == "/exit") return 0;
    if (*line == "/reset")
      conversation.reset();
    else if (!line->empty())
      answer_or_explain(conversation, *line, person);
    if (interrupt.take() && !person) return kInterruptedExit;
  }
}

int chat(const ChatFlags& flags, inference::Group& group) {
  const double start = inference::seconds_now();
  const inference::OpenedModel opened = open_model(flags.model);
  opened.require_weights();
  const inference::ModelText text = inference::load_model_text(opened, inference::ChatMode::Always, log_to_terminal());
  const engine::SamplingParams sampling =
      inference::sampling_params(flags.sampling, opened.checkpoint.generation_config());
  const int64_t context = inference::context_length(opened, flags.answer.context, kDefaultContext, log_to_terminal());

  const inference::LoadedModel model =
      load_model(opened, flags.model, {.numerics = {}, .sizes = {.max_output_rows = 1, .kv_tokens = context}}, group);
  engine::RanksStepModel steps(*model.split);
  engine::Engine engine(steps, context);
  const double load_seconds = inference::seconds_now() - start;

  Interrupt interrupt;
  Conversation conversation(engine, text, sampling, flags.answer, interrupt);
  const int code = converse(conversation, interrupt);
  inference::Statistics statistics = conversation.statistics();
  statistics.load_seconds = load_seconds;
  note(statistics.text());
  return code;
}

}  // namespace

void add_chat(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("chat", "talk with a model; a line of standard input is a message");
  const auto flags = std::make_shared<ChatFlags>();
  add_model_path(*command, flags->model);
  add_answer_flags(*command, flags->answer);
  add_sampling_flags(*command, flags->sampling);
  add_compute_flags(*command, flags->model);
  command->callback([flags, &action] {
    action = [flags] {
      return with_group(flags->model, flags->model.split.tp,
                        [&](inference::Group& group) { return chat(*flags, group); });
    };
  });
}

}  // namespace cleave::app
