#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "app/commands.h"
#include "app/run_model.h"
#include "app/sentence_model.h"
#include "app/serve/log.h"
#include "app/serve/serve_flags.h"
#include "app/serve/signals.h"
#include "app/terminal/open_files.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "base/files.h"
#include "ckpt/model_path.h"
#include "engine/ranks_step_model.h"
#include "inference/chat.h"
#include "inference/embedding/embedder.h"
#include "inference/embedding/text_preparation.h"
#include "inference/plan_report.h"
#include "inference/sampling.h"
#include "inference/tokenizer.h"
#include "server/service.h"

namespace cleave::app {
namespace {

constexpr std::chrono::milliseconds kLastWords{2000};

// Where no --context is given; memory of the key-value cache is taken as it is used.
constexpr int64_t kDefaultContext = 32768;
constexpr int64_t kDefaultTextLength = 8192;  // of texts that become vectors, where the model has no limit
constexpr int64_t kDefaultCache = 65536;
// Of recurrent states, for prompts that begin like earlier ones.
constexpr int64_t kSnapshots = 64;

/// The service of this process, which a failing group tells of the failure. Others than rank 0 have none. Thread-safe.
class Running {
 public:
  void set(std::shared_ptr<server::Service> service) {
    const std::lock_guard lock(mutex_);
    service_ = std::move(service);
  }
  /// Null where there is none.
  std::shared_ptr<server::Service> get() const {
    const std::lock_guard lock(mutex_);
    return service_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<server::Service> service_;  // guarded by mutex_
};

server::ServiceEvents events_of(const ServeFlags& flags) {
  server::ServiceEvents events;
  const LogForm form = flags.log;
  if (form != LogForm::None)
    events.exchange = [form](const server::ExchangeRecord& record) { note(log_line(record, form)); };
  events.problem = [form](const std::string& problem) { note(problem_line(problem, form)); };
  return events;
}

// What there is to say of a model of any kind.
server::ServedModel named_model(const ServeFlags& flags, const inference::OpenedModel& opened) {
  server::ServedModel model;
  const std::filesystem::path path = std::filesystem::weakly_canonical(flags.model.model.path);
  model.name = flags.aliases.empty() ? (path.extension() == ".gguf" ? path.stem() : path.filename()).string()
                                     : flags.aliases.front();
  if (flags.aliases.size() > 1) model.aliases.assign(flags.aliases.begin() + 1, flags.aliases.end());
  model.any_name = flags.any_model;
  model.architecture = opened.traced.architecture;
  model.vocab_size = opened.vocab_size();
  model.created = std::time(nullptr);
  return model;
}

server::ServedModel served_model(const ServeFlags& flags, const inference::OpenedModel& opened) {
  server::ServedModel model = named_model(flags, opened);
  model.text = inference::load_model_text(opened, inference::ChatMode::Automatic, log_to_terminal());
  if (model.text.chat != nullptr)
    model.format = inference::load_response_format(flags.model.model.path, *model.text.chat);
  model.plain_format = response::with_plain_calls(model.format);
  if (!flags.ignore_generation_config) model.settings = inference::generation_settings(opened.checkpoint);
  model.constraints =
      std::make_shared<server::Constraints>(*model.text.tokenizer, model.text.end_tokens, model.vocab_size);
  model.default_max_tokens = flags.max_tokens;
  return model;
}

void add_split(server::ServedModel& model, const inference::OpenedModel& opened, const inference::LoadedModel& loaded) {
  model.ranks = loaded.split->reports();
  model.plan = inference::to_json(inference::plan_report(opened, loaded)).dump();
}

std::string greeting(const server::ServedModel& model, const server::Service& service) {
  return fmt::format("cleave: serving {} on {}, {} of {} tokens", model.name, service.address(),
                     model.embedder ? "vectors of texts" : "a context", model.context);
}

// What turns texts into tokens. `model` has the tokenizer.
server::ServedEmbedder embedder_of(const ServeFlags& flags, const inference::OpenedModel& opened,
                                   inference::SentenceModules read, const server::ServedModel& model) {
  server::ServedEmbedder embedder;
  embedder.width = read.output_width(opened.output_width());
  embedder.modules = std::make_shared<const inference::SentenceModules>(std::move(read));
  const auto preparation = [&](std::optional<int64_t> max_length) {
    return std::make_shared<const inference::TextPreparation>(opened, *embedder.modules, *model.text.tokenizer,
                                                              max_length);
  };
  embedder.preparation = preparation(flags.context);
  if (!embedder.preparation->max_length()) embedder.preparation = preparation(kDefaultTextLength);
  return embedder;
}

// Serves vectors of texts. `model_flags`: with the path of the model itself.
void serve_vectors(const ServeFlags& flags, const ModelFlags& model_flags, inference::SentenceModules read,
                   const inference::OpenedModel& opened, inference::Group& group, server::Service& service) {
  inference::embedding_sizes(opened, 1);  // for its refusal
  server::ServedModel model = named_model(flags, opened);
  model.text.tokenizer = inference::load_tokenizer(opened.checkpoint);
  model.embedder = embedder_of(flags, opened, std::move(read), model);
  model.context = *model.embedder->preparation->max_length();
  const inference::LoadedModel loaded = load_model(
      opened, model_flags, {.numerics = {}, .sizes = inference::embedding_sizes(opened, model.context)}, group);
  add_split(model, opened, loaded);
  const auto modules = model.embedder->modules;
  inference::Embedder embedder(opened, *modules, *loaded.split);
  const std::string line = greeting(model, service);
  service.serve(std::move(model), embedder, [&] { note(line); });
}

// Serves a model that continues texts.
void serve_texts(const ServeFlags& flags, const inference::OpenedModel& opened, inference::Group& group,
                 server::Service& service) {
  inference::warn_of_unread_settings(opened.checkpoint.generation_config(), log_to_terminal());
  const int64_t context = inference::context_length(opened, flags.context, kDefaultContext, log_to_terminal());
  server::ServedModel model = served_model(flags, opened);
  const int64_t cache = std::max(context, flags.cache_tokens.value_or(kDefaultCache));
  const inference::LoadedModel loaded = load_model(
      opened, flags.model,
      {.numerics = {}, .sizes = {.max_output_rows = flags.parallel, .kv_tokens = cache, .num_snapshots = kSnapshots}},
      group);
  engine::RanksStepModel steps(*loaded.split);
  engine::Engine engine(steps, {.max_length = context,
                                .shares_prefixes = !flags.no_prefix_cache,
                                .max_gap = static_cast<double>(flags.max_gap_ms) / 1000});
  model.context = engine.max_length();
  add_split(model, opened, loaded);
  const std::string line = greeting(model, service);
  service.serve(std::move(model), engine, [&] { note(line); });
}

int serve(const ServeFlags& flags, inference::Group& group, Running& running) {
  allow_many_files();
  const auto service = std::make_shared<server::Service>(service_options(flags), events_of(flags));
  running.set(service);
  const EndSignals signals([service] { service->drain(); });
  note(fmt::format("cleave: listening on {}; the model is being loaded", service->address()));
  ModelFlags model_flags = flags.model;
  std::optional<inference::SentenceModules> modules;
  if (inference::has_sentence_modules(ckpt::model_directory(flags.model.model.path)))
    modules = read_sentence_model(model_flags);
  const inference::OpenedModel opened = open_model(model_flags);
  opened.require_weights();
  if (!modules && opened.is_encoder()) modules = read_sentence_model(model_flags);
  if (modules)
    serve_vectors(flags, model_flags, std::move(*modules), opened, group, *service);
  else
    serve_texts(flags, opened, group, *service);
  note("cleave: all answers are complete; ending");
  running.set(nullptr);
  return 0;
}

}  // namespace

void add_serve(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("serve", "answer requests over HTTP, with the APIs of OpenAI and Anthropic");
  const auto flags = std::make_shared<ServeFlags>();
  add_serve_flags(*command, *flags);
  command->callback([flags, &action] {
    action = [flags] {
      Running running;
      return with_group(
          flags->model, flags->model.split.tp, [&](inference::Group& group) { return serve(*flags, group, running); },
          [&](const std::string& what) {
            if (const auto service = running.get()) service->fail(what, kLastWords);
          });
    };
  });
}

}  // namespace cleave::app
