#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/bench/flags.h"
#include "app/bench/samples.h"
#include "app/run_model.h"

namespace cleave::app {

/// A model split in one way over ranks and threads, and the times of its cases.
///
/// With a group of its own, it works on threads of its own: where threads are bound to cores, those of other settings
/// are not. Several settings can be loaded at a time; only one of them runs.
class Setting {
 public:
  /// `group`: the ranks of all processes that mpirun started, once; null: each loading makes ranks of this process.
  Setting(const inference::OpenedModel& opened, const BenchFlags& flags, int ranks, int threads,
          std::vector<BenchCase> cases, inference::Group* group);
  ~Setting();

  int ranks() const { return group_ != nullptr ? group_->num_ranks() : ranks_; }  // of all processes
  int threads() const { return threads_; }                                        // of the ranks of this process
  const std::vector<BenchCase>& cases() const { return cases_; }
  const Samples& samples(size_t index) const { return samples_[index]; }
  int64_t weight_bytes() const { return weight_bytes_; }  // packed, of all ranks; known once loaded
  double load_seconds() const { return load_seconds_; }   // of the shortest loading; 0 before the first
  const ModelFlags& model_flags() const { return model_flags_; }

  bool loaded() const { return loaded_.has_value(); }
  void load();
  void unload();
  /// Every case once, timed; after loading, each has a shorter run first. REQUIRES: loaded().
  void repeat();

 private:
  void on_own_thread(const std::function<void()>& work);
  void load_here();
  void run(size_t index, bool warm_up);
  void run_prefill(const BenchCase& prefill, Samples& samples);
  void run_decode(const BenchCase& decode, int64_t steps, Samples& samples);
  void step(std::span<const int32_t> tokens, std::span<const runtime::SequenceStep> sequences,
            std::span<const int32_t> rows);
  runtime::Options options() const;

  const inference::OpenedModel& opened_;
  const BenchFlags& flags_;
  ModelFlags model_flags_;
  int ranks_, threads_;
  std::vector<BenchCase> cases_;
  inference::Group* group_;
  std::vector<Samples> samples_;               // by case
  std::optional<inference::Group> own_group_;  // where group_ is null, while loaded
  std::optional<inference::LoadedModel> loaded_;
  int64_t weight_bytes_ = 0;
  double load_seconds_ = 0;
  bool warm_ = false;
  std::vector<int32_t> tokens_, blocks_;

  class Worker;
  std::unique_ptr<Worker> worker_;  // null where group_ is given
  Samples* observed_ = nullptr;     // of the case at hand
  std::chrono::steady_clock::time_point last_;
};

}  // namespace cleave::app
