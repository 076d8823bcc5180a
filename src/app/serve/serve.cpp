#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <utility>

#include "app/commands.h"
#include "app/run_model.h"
#include "app/serve/log.h"
#include "app/serve/serve_flags.h"
#include "app/serve/signals.h"
#include "app/terminal/open_files.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "base/files.h"
#include "engine/ranks_step_model.h"
#include "inference/chat.h"
#include "inference/plan_report.h"
#include "inference/sampling.h"
#include "inference/tokenizer.h"
#include "server/service.h"

namespace cleave::app {
namespace {

constexpr std::chrono::milliseconds kLastWords{2000};

// Where no --context is given; memory of the key-value cache is taken as it is used.
constexpr int64_t kDefaultContext = 32768;
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

server::ServedModel served_model(const ServeFlags& flags, const inference::OpenedModel& opened, int64_t context) {
  server::ServedModel model;
  model.text = inference::load_model_text(opened, inference::ChatMode::Automatic, log_to_terminal());
  if (model.text.chat != nullptr)
    model.format = inference::load_response_format(flags.model.model.path, *model.text.chat);
  model.plain_format = response::with_plain_calls(model.format);
  const std::filesystem::path path = std::filesystem::weakly_canonical(flags.model.model.path);
  model.name = flags.aliases.empty() ? (path.extension() == ".gguf" ? path.stem() : path.filename()).string()
                                     : flags.aliases.front();
  if (flags.aliases.size() > 1) model.aliases.assign(flags.aliases.begin() + 1, flags.aliases.end());
  model.any_name = flags.any_model;
  if (!flags.ignore_generation_config) model.settings = inference::generation_settings(opened.checkpoint);
  model.context = context;
  model.architecture = opened.traced.architecture;
  model.vocab_size = opened.vocab_size();
  model.constraints =
      std::make_shared<server::Constraints>(*model.text.tokenizer, model.text.end_tokens, model.vocab_size);
  model.created = std::time(nullptr);
  model.default_max_tokens = flags.max_tokens;
  return model;
}

int serve(const ServeFlags& flags, inference::Group& group, Running& running) {
  allow_many_files();
  const auto service = std::make_shared<server::Service>(service_options(flags), events_of(flags));
  running.set(service);
  const EndSignals signals([service] { service->drain(); });
  note(fmt::format("cleave: listening on {}; the model is being loaded", service->address()));
  const inference::OpenedModel opened = open_model(flags.model);
  opened.require_weights();
  inference::warn_of_unread_settings(opened.checkpoint.generation_config(), log_to_terminal());
  const int64_t context = inference::context_length(opened, flags.context, kDefaultContext, log_to_terminal());
  server::ServedModel model = served_model(flags, opened, context);
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
  model.ranks = loaded.split->reports();
  model.plan = inference::to_json(inference::plan_report(opened, loaded)).dump();
  const std::string greeting =
      fmt::format("cleave: serving {} on {}, a context of {} tokens", model.name, service->address(), model.context);
  service->serve(std::move(model), engine, [&] { note(greeting); });
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
