#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>

#include "app/chat/chat_commands.h"
#include "app/chat/conversation.h"
#include "app/commands.h"
#include "app/flags.h"
#include "app/run_model.h"
#include "app/terminal/interrupt.h"
#include "app/terminal/line_reader.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "engine/ranks_step_model.h"
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

// A line that is refused is no reason to lose a conversation. Gives whether it goes on; `refused` tells of this line.
bool take_line(Conversation& conversation, const std::string& line, int64_t context, bool& refused) {
  LineResult result = LineResult::Nothing;
  try {
    result = carry_out(conversation, line, context);
    refused = false;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::InvalidArgument && error.kind() != ErrorKind::Io) throw;
    const bool is_message = !line.starts_with('/') || line.starts_with("//");
    note(fmt::format("cleave: error: {}{}", error.what(), is_message ? " (/reset begins a new conversation)" : ""));
    refused = true;
  }
  if (result == LineResult::Answer) conversation.answer();
  return result != LineResult::End;
}

// Lines in, answers out, until the input ends. Ctrl-C ends an answer; it ends the conversation where none is being
// given, or where there is no person to go on with. Gives the exit code: where there is no person, 1 tells that the
// last line was refused.
int converse(Conversation& conversation, Interrupt& interrupt, int64_t context) {
  const bool person = input_is_terminal();
  if (person) note("Type a message. /reset begins a new conversation, /help lists the commands, Ctrl-D ends.");
  LineReader lines;
  bool refused = false;
  for (;;) {
    if (person) show("> ");
    const std::optional<std::string> line = lines.next(interrupt);
    if (!line && person) show("\n");  // Ctrl-C and Ctrl-D leave the cursor behind the prompt
    if (!line && interrupt.requested() && !person) return kInterruptedExit;
    if (!line || (!line->empty() && !take_line(conversation, *line, context, refused)))
      return refused && !person ? 1 : 0;
    if (interrupt.take() && !person) return kInterruptedExit;
  }
}

int chat(const ChatFlags& flags, inference::Group& group) {
  const double start = inference::seconds_now();
  const inference::OpenedModel opened = open_model(flags.model);
  opened.require_weights();
  const inference::ModelText text = inference::load_model_text(opened, inference::ChatMode::Always, log_to_terminal());
  const Json& settings = inference::generation_settings(opened.checkpoint);
  inference::warn_of_unread_settings(opened.checkpoint.generation_config(), log_to_terminal());
  const engine::SamplingParams sampling = inference::sampling_params(flags.sampling, settings);
  const int64_t context = inference::context_length(opened, flags.answer.context, kDefaultContext, log_to_terminal());

  const inference::LoadedModel model =
      load_model(opened, flags.model, {.numerics = {}, .sizes = {.max_output_rows = 1, .kv_tokens = context}}, group);
  engine::RanksStepModel steps(*model.split);
  engine::Engine engine(steps, context);
  const double load_seconds = inference::seconds_now() - start;

  Interrupt interrupt;
  Conversation conversation(engine, text, settings, sampling, flags.answer, interrupt);
  const int code = converse(conversation, interrupt, engine.max_length());
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
  act_in_group(*command, action, flags, chat);
}

}  // namespace cleave::app
