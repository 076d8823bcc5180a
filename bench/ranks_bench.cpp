// What a rank costs: decode and prefill of a model on one rank of all cores, on two ranks that share them, and on one
// core, next to what the planner predicts and to the physical limit, the time that reading the weights once takes at
// the bandwidth measured in the same run. The settings take turns, so that whatever else runs on the machine disturbs
// all of them. "median" and "best" are of whole steps. "undisturbed" is the sum over the instructions of rank 0 of the
// shortest time that each has taken: on a busy machine, where no step passes without an interruption, it is the figure
// that compares with the prediction and the limit, which are measured in the same way. "exchanges" is the part of it in
// collectives, waiting for the other rank included.
//
//   ranks_bench MODEL [--hardware FILE] [--rounds N] [--steps N] [--prompt N] [--no-pin]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "app/open_model.h"
#include "app/planning.h"
#include "base/error.h"
#include "base/topology.h"
#include "kernels/measure.h"
#include "plan/explain.h"

namespace cleave {
namespace {

struct BenchFlags {
  app::ModelFlags model;
  int rounds = 5, steps = 8;
  int64_t prompt = 128;
  bool unpinned = false;
};

using Clock = std::chrono::steady_clock;

/// Times of steps of one kind, and of the instructions that they consist of.
struct Samples {
  std::vector<double> seconds;   // of steps
  std::vector<double> shortest;  // of each instruction
  std::vector<bool> exchange;    // whether it is a collective

  double best() const { return *std::ranges::min_element(seconds); }
  double median() const {
    std::vector<double> sorted = seconds;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
  double undisturbed() const { return std::accumulate(shortest.begin(), shortest.end(), 0.0); }
  double exchanges() const {
    double sum = 0;
    for (size_t i = 0; i < shortest.size(); ++i) sum += exchange[i] ? shortest[i] : 0;
    return sum;
  }

  void add(size_t instruction, double taken, bool is_exchange) {
    if (instruction == shortest.size()) {
      shortest.push_back(taken);
      exchange.push_back(is_exchange);
    }
    shortest[instruction] = std::min(shortest[instruction], taken);
  }
};

/// A model split in one way.
class Setting {
 public:
  Setting(const app::OpenedModel& opened, const graph::Graph& graph, const BenchFlags& flags, const Topology& topology,
          int ranks, int threads)
      : flags_(flags), num_ranks_(ranks), threads_(threads) {
    app::ModelFlags model = flags.model;
    model.split.threads_per_rank = threads;
    std::vector<std::string> notes;
    plan::Request request = app::plan_request(opened.checkpoint, graph, model, ranks, notes);
    request.cost.context = flags.prompt + flags.steps / 2;
    request.cost.prompt_tokens = flags.prompt;
    plan_ = plan::make_plan(graph, request);
    runtime::Options options;
    options.max_tokens = flags.prompt;
    options.max_output_rows = 1;
    options.kv_tokens = flags.prompt + flags.steps;
    runtime::Ranks::Local local;
    local.threads_per_rank = threads;
    local.communicators = comm::thread_communicators(ranks, {.threads_per_rank = threads});
    if (!flags.unpinned) local.cpus = place_ranks(topology, ranks, threads);
    ranks_ = std::make_unique<runtime::Ranks>(runtime::Ranks::Weights{&opened.checkpoint}, graph, plan_, options,
                                              std::move(local));
    ranks_->observe([this](int rank, const lower::Instruction& instruction, std::span<const float>) {
      if (rank == 0) observe(instruction);
    });
    tokens_.resize(static_cast<size_t>(flags.prompt));
    for (size_t i = 0; i < tokens_.size(); ++i)
      tokens_[i] = static_cast<int32_t>(static_cast<int64_t>(i * 7 + 1) % ranks_->vocab_size());
    blocks_.resize(static_cast<size_t>(ranks_->num_blocks()));
    std::iota(blocks_.begin(), blocks_.end(), 0);
  }

  void round() {
    step(0, flags_.prompt, prefill_);
    for (int i = 0; i < flags_.steps; ++i) step(flags_.prompt + i, 1, decode_);
  }

  std::string name() const { return fmt::format("{} x {}", num_ranks_, threads_); }
  int cores() const { return num_ranks_ * threads_; }
  const Samples& decode() const { return decode_; }
  const Samples& prefill() const { return prefill_; }
  const plan::Plan& plan() const { return plan_; }
  int64_t weight_bytes() const {
    int64_t bytes = 0;
    for (const runtime::RankReport& report : ranks_->reports()) bytes += report.memory.weights;
    return bytes;
  }

 private:
  void step(int64_t start, int64_t count, Samples& samples) {
    const std::vector<int32_t> rows = {static_cast<int32_t>(count - 1)};
    const runtime::SequenceStep sequence{count, start, start + count, blocks_, 0};
    samples_ = &samples;
    instruction_ = 0;
    last_ = Clock::now();
    samples.seconds.push_back(kernels::seconds_of([&] {
      ranks_->step({std::span<const int32_t>(tokens_).first(static_cast<size_t>(count)), {&sequence, 1}, rows});
    }));
  }

  // The first instruction takes what precedes it along: handing the step to the other rank.
  void observe(const lower::Instruction& instruction) {
    const Clock::time_point now = Clock::now();
    const bool exchange = instruction.action == lower::Action::AllReduce ||
                          instruction.action == lower::Action::AllGather || instruction.action == lower::Action::Gather;
    samples_->add(instruction_++, std::chrono::duration<double>(now - last_).count(), exchange);
    last_ = now;
  }

  const BenchFlags& flags_;
  int num_ranks_, threads_;
  plan::Plan plan_;
  std::unique_ptr<runtime::Ranks> ranks_;
  std::vector<int32_t> tokens_, blocks_;
  Samples decode_, prefill_;
  Samples* samples_ = nullptr;  // of the current step
  size_t instruction_ = 0;      // the next one of the current step
  Clock::time_point last_;      // end of the one before
};

void print(const std::vector<std::unique_ptr<Setting>>& settings, const BenchFlags& flags,
           const kernels::MeasuredRate& read) {
  fmt::print("read bandwidth {:.1f} GB/s of one core, {:.1f} of all; prompts of {} tokens\n", read.core / 1e9,
             read.machine / 1e9, flags.prompt);
  fmt::print("{:>7} | {:^65} | {:^41}\n", "", "decode, ms", "prefill, tokens/s");
  fmt::print("{:>7} | {:>8} {:>8} {:>11} {:>9} {:>9} {:>6} {:>8} | {:>8} {:>8} {:>11} {:>10}\n", "ranks", "median",
             "best", "undisturbed", "exchanges", "predicted", "limit", "of it", "median", "best", "undisturbed",
             "predicted");
  for (const auto& setting : settings) {
    const plan::Cost& cost = setting->plan().cost;
    const Samples &decode = setting->decode(), &prefill = setting->prefill();
    const double limit =
        static_cast<double>(setting->weight_bytes()) / (setting->cores() == 1 ? read.core : read.machine);
    const auto rate = [&](double seconds) { return static_cast<double>(flags.prompt) / seconds; };
    fmt::print(
        "{:>7} | {:8.2f} {:8.2f} {:11.2f} {:9.2f} {:9.2f} {:6.2f} {:7.0f}% | {:8.1f} {:8.1f} {:11.1f} {:10.1f}\n",
        setting->name(), decode.median() * 1e3, decode.best() * 1e3, decode.undisturbed() * 1e3,
        decode.exchanges() * 1e3, cost.decode_seconds * 1e3, limit * 1e3, 100 * limit / decode.undisturbed(),
        rate(prefill.median()), rate(prefill.best()), rate(prefill.undisturbed()), rate(cost.prefill_seconds));
  }
  const auto compare = [&](const char* what, const Samples& whole, const Samples& split) {
    fmt::print("two ranks against one, speed of {}: {:.3f} (medians), {:.3f} (best), {:.3f} (undisturbed)\n", what,
               whole.median() / split.median(), whole.best() / split.best(), whole.undisturbed() / split.undisturbed());
  };
  compare("decode", settings[0]->decode(), settings[1]->decode());
  compare("prefill", settings[0]->prefill(), settings[1]->prefill());
}

void run(const BenchFlags& flags) {
  const int cores = flags.model.threads;
  if (cores < 2) fail(ErrorKind::InvalidArgument, "{} core: two ranks need at least 2", cores);
  const app::OpenedModel opened = app::open_model(flags.model);
  const graph::Graph graph = graph::push_slices_into_weights(opened.graphs.graph("decode"));
  const Topology topology = detect_topology();  // now: a bound thread sees one CPU
  std::vector<std::unique_ptr<Setting>> settings;
  for (const auto& [ranks, threads] : {std::pair{1, cores}, std::pair{2, cores / 2}, std::pair{1, 1}})
    settings.push_back(std::make_unique<Setting>(opened, graph, flags, topology, ranks, threads));
  ThreadPool core(1), machine(cores, flags.unpinned ? std::vector<int>() : place_ranks(topology, 1, cores)[0]);
  kernels::MeasuredRate read;
  for (int round = 0; round < flags.rounds; ++round) {
    const kernels::MeasuredRate now = kernels::measure_read({core, machine});
    read = {std::max(read.core, now.core), std::max(read.machine, now.machine)};
    for (const auto& setting : settings) setting->round();
  }
  print(settings, flags, read);
}

}  // namespace
}  // namespace cleave

int main(int argc, char** argv) {
  using namespace cleave;
  BenchFlags flags;
  CLI::App app("Decode and prefill of one rank against two.");
  app::add_model_path(app, flags.model);
  flags.model.threads = app::available_cores();
  app.add_option("--threads", flags.model.threads, "cores to use");
  app.add_option("--hardware", flags.model.split.hardware, "rates for the prediction");
  app.add_option("--rounds", flags.rounds, "turns of each setting");
  app.add_option("--steps", flags.steps, "tokens generated in a turn");
  app.add_option("--prompt", flags.prompt, "tokens of the prompt");
  app.add_flag("--no-pin", flags.unpinned, "do not bind threads to cores");
  CLI11_PARSE(app, argc, argv);
  try {
    run(flags);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return 1;
  }
}
