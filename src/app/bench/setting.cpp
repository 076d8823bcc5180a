#include "app/bench/setting.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "base/stop_watch.h"
#include "runtime/device/kv_blocks.h"

namespace cleave::app {
namespace {

constexpr int64_t kPrefillStep = 512;  // tokens of a step of a prompt, as `generate` has them
constexpr int64_t kWarmUpSteps = 4;

// Positions of the key-value cache that a case needs, in whole blocks.
int64_t cache_positions(const BenchCase& c) {
  return c.batch * runtime::kv_blocks_for(c.context + c.tokens) * runtime::kKvBlockSize;
}

}  // namespace

/// A thread that does what it is told, one thing after another.
class Setting::Worker {
 public:
  Worker() : thread_([this] { work(); }) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    run(nullptr);
    thread_.join();
  }

  /// Returns when the task is done, and throws what it throws. Null ends the thread.
  void run(const std::function<void()>* task) {
    std::unique_lock lock(mutex_);
    task_ = task;
    pending_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !pending_; });
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  void work() {
    for (bool more = true; more;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return pending_; });
      try {
        more = task_ != nullptr;
        if (more) (*task_)();
      } catch (...) {
        error_ = std::current_exception();
      }
      pending_ = false;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* task_ = nullptr;
  bool pending_ = false;
  std::exception_ptr error_;
  std::thread thread_;  // last: it uses the others
};

Setting::Setting(const inference::OpenedModel& opened, const BenchFlags& flags, int ranks, int threads,
                 std::vector<BenchCase> cases, inference::Group* group)
    : opened_(opened),
      flags_(flags),
      model_flags_(flags.model),
      ranks_(ranks),
      threads_(threads),
      cases_(std::move(cases)),
      group_(group),
      samples_(cases_.size()) {
  model_flags_.threads = threads;
  model_flags_.split.tp = ranks;
  model_flags_.split.threads_per_rank = threads / ranks;
}

Setting::~Setting() {
  if (loaded()) unload();
}

void Setting::on_own_thread(const std::function<void()>& work) {
  if (worker_)
    worker_->run(&work);
  else
    work();
}

void Setting::load() {
  if (group_ == nullptr) worker_ = std::make_unique<Worker>();
  on_own_thread([&] { load_here(); });
  warm_ = false;
}

void Setting::unload() {
  on_own_thread([&] {
    loaded_.reset();
    own_group_.reset();
  });
  worker_.reset();
}

runtime::Options Setting::options() const {
  runtime::Options options;
  runtime::Sizes& sizes = options.sizes;
  sizes.max_tokens = sizes.max_output_rows = sizes.kv_tokens = 1;
  for (const BenchCase& c : cases_) {
    sizes.max_tokens = std::max(sizes.max_tokens, c.prefill ? std::min(c.tokens, kPrefillStep) : c.batch);
    sizes.max_output_rows = std::max(sizes.max_output_rows, c.batch);
    sizes.kv_tokens = std::max(sizes.kv_tokens, cache_positions(c));
  }
  options.fill_cache = true;
  return options;
}

void Setting::load_here() {
  if (group_ == nullptr) own_group_.emplace(local_group_options(model_flags_, ranks_));
  inference::Group& group = group_ != nullptr ? *group_ : *own_group_;
  const double seconds = seconds_of([&] { loaded_.emplace(load_model(opened_, model_flags_, options(), group)); });
  load_seconds_ = load_seconds_ > 0 ? std::min(load_seconds_, seconds) : seconds;
  runtime::SplitModel& model = *loaded_->split;
  weight_bytes_ = 0;
  for (const runtime::RankReport& report : model.reports()) weight_bytes_ += report.memory.weights;
  if (!flags_.plain)
    model.observe([this](int rank, const lower::Instruction& instruction, std::span<const float>) {
      if (rank != 0) return;
      const auto now = std::chrono::steady_clock::now();
      observed_->observe(kind_of(instruction), std::chrono::duration<double>(now - last_).count());
      last_ = now;
    });
  int64_t most = 1;
  for (const BenchCase& c : cases_) most = std::max(most, c.prefill ? c.tokens : c.batch);
  tokens_.resize(static_cast<size_t>(most));
  for (size_t i = 0; i < tokens_.size(); ++i)
    tokens_[i] = static_cast<int32_t>(static_cast<int64_t>(i * 7919 + 1) % model.output_width());
  blocks_.resize(static_cast<size_t>(model.num_blocks()));
  std::iota(blocks_.begin(), blocks_.end(), 0);
}

void Setting::repeat() {
  on_own_thread([&] {
    for (size_t i = 0; i < cases_.size(); ++i) {
      if (!warm_) run(i, true);
      run(i, false);
    }
  });
  warm_ = true;
}

// A warm-up does not count, but for shortest times: the first calls of kernels compile them.
void Setting::run(size_t index, bool warm_up) {
  const BenchCase& c = cases_[index];
  Samples& samples = samples_[index];
  const int64_t steps = warm_up ? std::min(kWarmUpSteps, c.tokens) : c.tokens;
  observed_ = &samples;
  const double seconds = seconds_of([&] {
    if (c.prefill)
      run_prefill(c, samples);
    else
      run_decode(c, steps, samples);
  });
  if (warm_up)
    samples.drop_repetition();
  else
    samples.end_repetition(static_cast<double>(c.tokens * c.batch), seconds, c.prefill ? 1 : c.tokens);
}

void Setting::run_prefill(const BenchCase& prefill, Samples& samples) {
  samples.begin();
  for (int64_t done = 0; done < prefill.tokens; done += kPrefillStep) {
    const int64_t count = std::min(kPrefillStep, prefill.tokens - done);
    const runtime::SequenceStep sequence{.num_tokens = count,
                                         .start_position = done,
                                         .rope_length = prefill.tokens,
                                         .blocks = blocks_,
                                         .kind = kernels::kind_of_prompt(prefill.tokens)};
    const auto last = static_cast<int32_t>(count - 1);
    const bool ends = done + count == prefill.tokens;
    step(std::span(tokens_).subspan(static_cast<size_t>(done), static_cast<size_t>(count)), {&sequence, 1},
         std::span(&last, ends ? 1 : 0));
  }
}

void Setting::run_decode(const BenchCase& decode, int64_t steps, Samples& samples) {
  const auto batch = static_cast<size_t>(decode.batch);
  const auto blocks = static_cast<size_t>(runtime::kv_blocks_for(decode.context + decode.tokens));
  std::vector<runtime::SequenceStep> sequences(batch);
  std::vector<int32_t> rows(batch);
  std::iota(rows.begin(), rows.end(), 0);
  // As a model computes that is loaded for this batch, not for the largest one of the cases.
  const bool is_largest = decode.batch == loaded_->split->options().sizes.max_output_rows;
  for (int64_t done = 0; done < steps; ++done) {
    const int64_t past = decode.context + done;
    for (size_t s = 0; s < batch; ++s)
      sequences[s] = {.num_tokens = 1,
                      .start_position = past,
                      .rope_length = past + 1,
                      .blocks = std::span(blocks_).subspan(s * blocks, blocks),
                      .state_slot = static_cast<int64_t>(s),
                      .kind = is_largest ? kernels::RowKind::Answer : kernels::RowKind::ByCount};
    samples.begin();
    step(std::span(tokens_).first(batch), sequences, rows);
  }
}

// The first operation takes along what precedes it: handing the step to the other ranks, angles of rotary embeddings.
void Setting::step(std::span<const int32_t> tokens, std::span<const runtime::SequenceStep> sequences,
                   std::span<const int32_t> rows) {
  last_ = std::chrono::steady_clock::now();
  loaded_->split->step({tokens, sequences, rows});
}

}  // namespace cleave::app
