#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "app/bench/flags.h"
#include "app/bench/report.h"
#include "app/bench/setting.h"
#include "app/hosts/started_by_mpi.h"
#include "app/terminal/terminal.h"
#include "base/cpus.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/strings.h"
#include "inference/plan_report.h"

namespace cleave::app {
namespace {

// Packed weights may take more than stored ones: rows filled up to whole tiles, and other layouts.
constexpr double kPackedShare = 1.2;

struct Split {
  int ranks, threads;
};

std::vector<BenchCase> cases_of(const BenchFlags& flags) {
  std::vector<BenchCase> cases;
  if (flags.prefill > 0) cases.push_back({.prefill = true, .tokens = flags.prefill});
  if (flags.decode > 0)
    for (const int64_t batch : flags.batches)
      for (const int64_t context : flags.contexts)
        cases.push_back({.tokens = flags.decode, .batch = batch, .context = context});
  if (cases.empty()) throw CLI::ValidationError("--decode", "nothing to measure: --prefill and --decode are both 0");
  return cases;
}

// Every number of ranks with every number of threads that gives each rank at least one.
std::vector<Split> splits_of(const BenchFlags& flags) {
  std::vector<Split> splits;
  const auto add = [&](Split split) {
    const auto same = [&](const Split& s) { return s.ranks == split.ranks && s.threads == split.threads; };
    if (std::ranges::none_of(splits, same)) splits.push_back(split);
  };
  for (const int ranks : flags.ranks.empty() ? std::vector{1} : flags.ranks) {
    if (flags.model.split.threads_per_rank) {
      add({ranks, ranks * *flags.model.split.threads_per_rank});
      continue;
    }
    for (const int threads : flags.threads)
      if (threads >= ranks) add({ranks, threads / ranks * ranks});
  }
  if (splits.empty())
    throw CLI::ValidationError("--threads", "fewer threads than ranks (--tp); every rank needs at least one");
  return splits;
}

void check(const BenchFlags& flags, size_t splits, size_t cases) {
  if (started_by_mpi() && splits > 1)
    throw CLI::ValidationError("--tp", "under mpirun a run has one number of ranks and threads of each process");
  const size_t most = (flags.prefill > 0 ? 1 : 0) + (flags.decode > 0 ? 1 : 0);
  if (flags.plain && (splits > 1 || cases > most))
    throw CLI::ValidationError("--plain", "wants one setting: one value each of --tp, --threads, --batch, --context");
  if (!flags.output.empty()) throw CLI::ValidationError("--output", "goes with --hardware; this prints its results");
}

/// A model and what is known of it without computing.
class Measurement {
 public:
  Measurement(const BenchFlags& flags, const inference::OpenedModel& opened)
      : flags_(flags), opened_(opened), cases_(cases_of(flags)), problem_(make_problem()) {}

  void run(inference::Group* group) {
    for (const Split& split : splits_of(flags_))
      settings_.push_back(std::make_unique<Setting>(opened_, flags_, split.ranks, split.threads, cases_, group));
    const bool together = fits();
    if (!together)
      note("cleave: note: memory does not hold the model in all settings at a time: it is loaded anew for every turn");
    for (int repetition = 0; repetition < flags_.repetitions; ++repetition)
      for (const auto& setting : settings_) {
        if (shows_progress())
          note(fmt::format("cleave: repetition {} of {}, {} rank{}, {} thread{}", repetition + 1, flags_.repetitions,
                           setting->ranks(), setting->ranks() == 1 ? "" : "s", setting->threads(),
                           setting->threads() == 1 ? "" : "s"));
        if (!setting->loaded()) setting->load();
        setting->repeat();
        if (!together) setting->unload();
      }
  }

  std::string report() {
    if (flags_.plain) return plain_text(rows({}));
    std::vector<int> threads;  // of several processes nobody knows how many share a machine, and its limits
    for (const auto& setting : settings_)
      if (!started_by_mpi()) threads.push_back(setting->threads());
    BenchReport report{machine_name(flags_, usable_cpus()),
                       opened_.checkpoint.path().string(),
                       opened_.traced.architecture,
                       stored_bytes(),
                       measure_limits(threads),
                       loads(),
                       {}};
    report.rows = rows(report.limits);
    return flags_.json ? to_json(report).dump(2) + "\n" : text(report);
  }

 private:
  plan::Problem make_problem() { return plan::make_problem(opened_.graph, {1.0}, request_for(single(), 1).stored); }
  // Without its notes: load_model() gives them.
  plan::PlanOptions request_for(const ModelFlags& flags, int ranks) const {
    return inference::request_for(opened_, split_options(flags.split, ranks), flags.numbers, ranks, {});
  }
  ModelFlags single() const {
    ModelFlags flags = flags_.model;
    flags.split.rank_weights.clear();
    return flags;
  }

  double stored_bytes() const {
    double bytes = 0;
    for (const std::string& name : opened_.weights().names())
      bytes += static_cast<double>(opened_.weights().find(name)->view.bytes.size());
    return bytes;
  }

  plan::StepWork work_of(const BenchCase& c) const {
    const DType type = flags_.model.numbers.kv_type();
    if (c.prefill) return plan::step_work(problem_, {1, c.tokens, 0}, type);
    return plan::step_work(problem_, {c.batch, 1, c.context + c.tokens / 2}, type);  // the step in the middle
  }

  bool fits() const {
    if (settings_.size() == 1) return true;
    double cache = 0;
    for (const BenchCase& c : cases_) cache = std::max(cache, work_of(c).cache_bytes);
    return static_cast<double>(settings_.size()) * (stored_bytes() * kPackedShare + cache) <
           static_cast<double>(available_memory().value_or(INT64_MAX));
  }

  double predicted_seconds(const Setting& setting, const BenchCase& c) const {
    if (c.batch > 1 || flags_.model.split.hardware.empty()) return 0;  // default rates say nothing of this machine
    plan::PlanOptions request = request_for(setting.model_flags(), setting.ranks());
    request.cost.context = c.context + c.tokens / 2;
    request.cost.prompt_tokens = c.tokens;
    const plan::Cost cost = plan::make_plan(opened_.graph, request).cost;
    return c.prefill ? cost.prefill_seconds : cost.decode_seconds;
  }

  std::vector<LoadRow> loads() const {
    std::map<int, double> file_rates;  // by threads
    std::vector<LoadRow> loads;
    for (const auto& setting : settings_) {
      const auto [rate, added] = file_rates.try_emplace(setting->threads(), 0);
      if (added && !started_by_mpi()) rate->second = measure_files(opened_.checkpoint.files(), setting->threads());
      loads.push_back({setting->ranks(), setting->threads(), setting->load_seconds(), rate->second});
    }
    return loads;
  }

  std::vector<BenchRow> rows(const std::map<int, Limits>& limits) const {
    std::vector<BenchRow> rows;
    for (const auto& setting : settings_)
      for (size_t i = 0; i < cases_.size(); ++i) {
        const BenchCase& c = cases_[i];
        BenchRow row{setting->ranks(),
                     setting->threads(),
                     c,
                     &setting->samples(i),
                     static_cast<double>(c.prefill ? c.tokens : c.batch),
                     {},
                     0};
        if (const auto found = limits.find(setting->threads()); found != limits.end()) {
          row.bound = bound_of(work_of(c), found->second, flags_.model.numbers.exact);
          row.predicted_seconds = predicted_seconds(*setting, c);
        }
        rows.push_back(row);
      }
    return rows;
  }

  const BenchFlags& flags_;
  const inference::OpenedModel& opened_;
  std::vector<BenchCase> cases_;
  plan::Problem problem_;  // of one rank
  std::vector<std::unique_ptr<Setting>> settings_;
};

int measure(const BenchFlags& flags, inference::Group* group) {
  const inference::OpenedModel opened = open_model(flags.model);
  opened.require_logits();
  opened.require_weights();
  std::string report;
  {
    Measurement measurement(flags, opened);
    measurement.run(group);
    report = measurement.report();
  }
  Output().write(report);
  return 0;
}

}  // namespace

int bench_model(const BenchFlags& flags) {
  const std::vector<Split> splits = splits_of(flags);
  check(flags, splits.size(), cases_of(flags).size());
  if (!started_by_mpi()) return measure(flags, nullptr);
  ModelFlags model = flags.model;
  model.threads = splits.front().threads;
  return with_group(model, splits.front().ranks, [&](inference::Group& group) { return measure(flags, &group); });
}

}  // namespace cleave::app
