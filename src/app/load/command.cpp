#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <utility>

#include "app/api_keys.h"
#include "app/commands.h"
#include "app/load/load_flags.h"
#include "app/serve/signals.h"
#include "app/terminal/jsonl.h"
#include "app/terminal/open_files.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "base/files.h"
#include "load/probe.h"
#include "load/report/report.h"
#include "load/runner.h"

namespace cleave::app {
namespace {

constexpr int64_t kDefaultRequests = 200, kDefaultConcurrency = 8;
// Of texts before the run, which must not be in a server's cache when it begins.
constexpr uint64_t kWarmupSeed = 0x77617264;

std::string key_of(const LoadFlags& flags) {
  if (flags.key_file.empty()) {
    const char* key = std::getenv("OPENAI_API_KEY");
    return key == nullptr ? "" : key;
  }
  return read_keys(flags.key_file).front();
}

std::vector<load::Job> jobs_of(const LoadFlags& flags) {
  if (std::filesystem::is_directory(flags.file)) fail(ErrorKind::Io, "{}: this is a folder, wanted a file", flags.file);
  std::ifstream file(flags.file);
  if (!file) fail(ErrorKind::NotFound, "{}: cannot be read", flags.file);
  std::vector<load::Job> jobs;
  try {
    for_each_line(file, [&](const std::string& line) {
      jobs.push_back(load::job_of_line(parse_json(line, "a request"), flags.request.api));
    });
  } catch (const Error& error) {
    fail(error.kind(), "{}: {}", flags.file, error.what());
  }
  if (jobs.empty()) fail(ErrorKind::InvalidArgument, "{}: no requests, wanted one a line", flags.file);
  return jobs;
}

std::string range_text(load::Range range) {
  return range.least == range.most ? fmt::format("{}", range.least) : fmt::format("{} to {}", range.least, range.most);
}

std::string title_of(const LoadFlags& flags) {
  const std::string how = flags.rate ? fmt::format("{} requests/s by chance", *flags.rate)
                          : flags.agents
                              ? fmt::format("{} agents of {} turns", *flags.agents, flags.agent.turns)
                              : fmt::format("{} requests at a time", flags.concurrency.value_or(kDefaultConcurrency));
  const std::string what =
      flags.file.empty() ? fmt::format("prompts of {} tokens", range_text(flags.prompt_tokens)) : flags.file;
  return fmt::format("{} {}: {}, {}, answers of {}", flags.url, flags.request.model, how, what,
                     range_text(flags.answer_tokens));
}

/// A run's parts, which refer to one another.
class Bench {
 public:
  Bench(const LoadFlags& flags, load::Network& network, std::string key)
      : flags_(flags), network_(network), key_(std::move(key)), text_(flags.seed), settings_(flags.request) {
    if (settings_.model.empty()) settings_.model = load::first_model(network_, key_);
    settings_.ignore_eos = flags.ignore_eos.value_or(flags.file.empty());
    const std::optional<double> ratio = load::tokens_per_word(network_, key_, settings_.model, text_);
    if (!ratio && flags.file.empty())
      note("cleave: the server has no /tokenize; a word of made-up text counts as a token");
    text_ = load::MadeUpText(flags.seed, ratio.value_or(1));
  }

  const std::string& model() const { return settings_.model; }

  void warm_up(const std::function<void(load::Runner*)>& running) {
    if (flags_.warmup == 0) return;
    const load::MadeUpText text(flags_.seed ^ kWarmupSeed);
    const auto prompts =
        load::made_up_prompts(settings_.api, text, flags_.seed, flags_.prompt_tokens, flags_.answer_tokens);
    const auto load = load::closed_loop(*prompts, flags_.concurrency.value_or(kDefaultConcurrency));
    load::RunLimits limits = flags_.limits;
    limits.requests = flags_.warmup;
    run(*load, limits, "warming up", running);
  }

  std::vector<load::Result> measure(const std::function<void(load::Runner*)>& running) {
    const auto prompts = make_prompts();
    const auto load = make_workload(*prompts);
    load::RunLimits limits = flags_.limits;
    if (is_unbounded() && !flags_.agents) limits.requests = kDefaultRequests;
    return run(*load, limits, "requests", running);
  }

 private:
  bool is_unbounded() const { return !flags_.limits.requests && !flags_.limits.seconds; }

  std::unique_ptr<load::Prompts> make_prompts() const {
    if (flags_.file.empty())
      return load::made_up_prompts(settings_.api, text_, flags_.seed, flags_.prompt_tokens, flags_.answer_tokens);
    return load::listed_prompts(jobs_of(flags_), flags_.seed, flags_.answer_tokens);
  }

  std::unique_ptr<load::Workload> make_workload(const load::Prompts& prompts) const {
    if (flags_.rate) return load::open_loop(prompts, *flags_.rate, flags_.seed);
    if (!flags_.agents) return load::closed_loop(prompts, flags_.concurrency.value_or(kDefaultConcurrency));
    load::AgentSettings settings = flags_.agent;
    settings.api = settings_.api;
    settings.agents = *flags_.agents;
    if (is_unbounded()) settings.conversations = settings.agents;
    return load::agents(prompts, text_, flags_.seed, settings);
  }

  std::vector<load::Result> run(load::Workload& workload, const load::RunLimits& limits, const char* what,
                                const std::function<void(load::Runner*)>& running) {
    load::Runner runner(network_, settings_, key_, workload, limits);
    running(&runner);
    ProgressBar bar(what, "requests");
    auto results = runner.run([&](int64_t done) { bar.update(done, limits.requests.value_or(0)); });
    running(nullptr);
    return results;
  }

  const LoadFlags& flags_;
  load::Network& network_;
  const std::string key_;
  load::MadeUpText text_;
  load::RequestSettings settings_;
};

/// The runner that a signal stops, now and from then on. Thread-safe.
class Stopper {
 public:
  void set(load::Runner* runner) {
    const std::lock_guard lock(mutex_);
    runner_ = runner;
    if (stopped_ && runner_ != nullptr) runner_->stop();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (runner_ != nullptr) runner_->stop();
  }

 private:
  std::mutex mutex_;
  load::Runner* runner_ = nullptr;  // guarded by mutex_
  bool stopped_ = false;            // guarded by mutex_
};

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

int bench_serve(LoadFlags flags) {
  allow_many_files();
  load::Network network(load::parse_target(flags.url), flags.tls);
  Bench bench(flags, network, key_of(flags));
  flags.request.model = bench.model();
  Stopper stopper;
  const EndSignals signals([&] { stopper.stop(); });
  const auto running = [&](load::Runner* runner) { stopper.set(runner); };
  bench.warm_up(running);
  const double begin = cpu_seconds();
  const std::vector<load::Result> results = bench.measure(running);
  const load::Summary summary = load::summarize(results, flags.rate ? load::Loop::Open : load::Loop::Closed,
                                                flags.service, cpu_seconds() - begin);
  const std::string title = title_of(flags);
  Output().write(load::text_of(title, summary));
  if (!flags.json.empty()) write_file(flags.json, load::json_of(title, summary).dump(2) + "\n");
  if (!flags.svg.empty()) write_file(flags.svg, load::svg_of(title, results, summary));
  if (summary.done > 0 || summary.failed == 0) return 0;
  const auto& [outcome, problem] = *summary.examples.begin();
  fail(ErrorKind::Io, "none of {} requests was answered; {}: {}", summary.failed, outcome, problem);
}

}  // namespace

void add_bench_serve(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("bench-serve", "measure a server under load, ours or another with OpenAI's API");
  const auto flags = std::make_shared<LoadFlags>();
  add_load_flags(*command, *flags);
  command->callback([flags, &action] { action = [flags] { return bench_serve(*flags); }; });
}

}  // namespace cleave::app
