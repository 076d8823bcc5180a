#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iostream>
#include <memory>
#include <utility>

#include "app/commands.h"
#include "app/flags.h"
#include "app/run_model.h"
#include "app/terminal/interrupt.h"
#include "app/terminal/jsonl.h"
#include "app/terminal/terminal.h"
#include "app/translate.h"
#include "base/error.h"
#include "base/files.h"
#include "engine/ranks_step_model.h"
#include "inference/answer.h"
#include "inference/chat.h"
#include "inference/translation/translation_settings.h"

namespace cleave::app {
namespace {

// Where an answer's length is not limited, its context has room for this many tokens beside the prompt. Memory of the
// key-value cache is taken as it is used.
constexpr int64_t kDefaultAnswerRoom = 4096;

struct GenerateFlags {
  ModelFlags model;
  inference::SamplingOptions sampling;
  AnswerFlags answer;
  std::optional<std::string> prompt;
  std::filesystem::path prompt_file;
  bool chat = false;
  bool raw = false;
  std::optional<int64_t> beams;            // of a model that reads one text and writes another
  std::optional<std::string> first_token;  // the same

  TranslateFlags translation() const { return {sampling, answer.max_tokens, beams, first_token}; }
};

// The text as it was given, to the last byte.
std::string read_prompt(const GenerateFlags& flags) {
  if (!flags.prompt_file.empty()) return read_file(flags.prompt_file);
  if (!flags.prompt)
    throw CLI::RequiredError("a prompt is missing: -p TEXT, -p - for standard input, or -f FILE",
                             CLI::ExitCodes::RequiredError);
  return *flags.prompt == "-" ? read_all(std::cin, "standard input") : *flags.prompt;
}

void refuse_search(const TranslateFlags& flags, const inference::OpenedModel& opened) {
  if (flags.beams || flags.first_token)
    fail(ErrorKind::InvalidArgument,
         "--beams and --first-token are for models that read one text and write another; {} continues one",
         opened.traced.architecture);
}

void refuse_chat_and_chance(const GenerateFlags& flags, const inference::OpenedModel& opened) {
  const inference::SamplingOptions& s = flags.sampling;
  const std::array<std::pair<const char*, bool>, 9> given = {{{"--chat", flags.chat},
                                                              {"--system", flags.answer.system.has_value()},
                                                              {"--stop", !flags.answer.stops.empty()},
                                                              {"--context", flags.answer.context.has_value()},
                                                              {"--temperature", s.temperature.has_value()},
                                                              {"--top-k", s.top_k.has_value()},
                                                              {"--top-p", s.top_p.has_value()},
                                                              {"--min-p", s.min_p.has_value()},
                                                              {"--seed", s.seed.has_value()}}};
  for (const auto& [name, is_given] : given)
    if (is_given)
      fail(ErrorKind::InvalidArgument,
           "{} is for models that continue a text; {} reads one and searches for another: leave it out", name,
           opened.traced.architecture);
}

void refuse_what_it_does_not_do(const GenerateFlags& flags, const inference::OpenedModel& opened) {
  if (opened.is_encoder_decoder()) return refuse_chat_and_chance(flags, opened);
  refuse_search(flags.translation(), opened);
}

int generate(const GenerateFlags& flags, inference::Group& group) {
  const std::string prompt = read_prompt(flags);
  const double start = inference::seconds_now();
  const inference::OpenedModel opened = open_model(flags.model);
  opened.require_weights();
  refuse_what_it_does_not_do(flags, opened);
  if (opened.is_encoder_decoder()) return translate(opened, flags.model, flags.translation(), prompt, group);
  using inference::ChatMode;
  const ChatMode mode = flags.raw ? ChatMode::Never : flags.chat ? ChatMode::Always : ChatMode::Automatic;
  const inference::ModelText text = inference::load_model_text(opened, mode, log_to_terminal());
  if (flags.answer.system && text.chat == nullptr)
    fail(ErrorKind::InvalidArgument, "--system needs a chat format, and the text is sent as it stands; leave it out");
  const Json& settings = inference::generation_settings(opened.checkpoint);
  inference::warn_of_unread_settings(opened.checkpoint.generation_config(), log_to_terminal());
  engine::Request request{.prompt = text.prompt(prompt, flags.answer.system, std::time(nullptr)),
                          .sampling = inference::sampling_params(flags.sampling, settings),
                          .end_tokens = text.end_tokens};
  const auto prompt_tokens = static_cast<int64_t>(request.prompt.size());
  const std::optional<int64_t> max_tokens = inference::max_new_tokens(flags.answer.max_tokens, settings, prompt_tokens);
  if (max_tokens) request.max_new_tokens = *max_tokens;
  const int64_t context = inference::context_length(
      opened, flags.answer.context, prompt_tokens + max_tokens.value_or(kDefaultAnswerRoom), log_to_terminal());

  const inference::LoadedModel model =
      load_model(opened, flags.model, {.numerics = {}, .sizes = {.max_output_rows = 1, .kv_tokens = context}}, group);
  engine::RanksStepModel steps(*model.split);
  engine::Engine engine(steps, context);
  inference::Statistics statistics{.load_seconds = inference::seconds_now() - start};

  const Interrupt interrupt;
  Output output;
  const engine::SequenceId id = engine.add(std::move(request));
  const engine::FinishReason end = inference::stream_answer(
      engine, id, prompt_tokens, *text.tokenizer, flags.answer.stops,
      [&](std::string_view piece) { output.write(piece); }, [&] { return interrupt.requested(); }, statistics);
  end_answer_line(output);
  note(fmt::format("{}{}", statistics.text(),
                   end == engine::FinishReason::Context ? "; ended because the context is full" : ""));
  return end == engine::FinishReason::Cancelled ? kInterruptedExit : 0;
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("generate", "continue a text, or answer a question");
  const auto flags = std::make_shared<GenerateFlags>();
  add_model_path(*command, flags->model);
  CLI::Option* prompt = command->add_option("-p,--prompt", flags->prompt, "the text; - reads standard input unchanged")
                            ->type_name("TEXT");
  command->add_option("-f,--file", flags->prompt_file, "read the text from a file, unchanged")
      ->type_name("FILE")
      ->excludes(prompt);
  CLI::Option* chat =
      command->add_flag("--chat", flags->chat, "ask in the model's chat format (default where it has one)");
  command->add_flag("--raw", flags->raw, "send the text as it stands")->excludes(chat);
  command
      ->add_option("--beams", flags->beams,
                   "texts that are searched for at a time, by a model that reads one text and writes another (default: "
                   "as generation_config.json says, else 1)")
      ->check(CLI::Range(int64_t{1}, inference::kMostBeams))
      ->type_name("N");
  command
      ->add_option("--first-token", flags->first_token,
                   "token that such a model writes first, as the vocabulary spells it: for many the language")
      ->type_name("TOKEN");
  add_answer_flags(*command, flags->answer);
  add_sampling_flags(*command, flags->sampling);
  add_compute_flags(*command, flags->model);
  act_in_group(*command, action, flags, generate);
}

}  // namespace cleave::app
