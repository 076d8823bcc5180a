#include "load/workload/workload.h"

#include <cmath>

#include "load/workload/random.h"

namespace cleave::load {
namespace {

constexpr uint64_t kArrivalStream = 4;  // of random numbers

class ClosedLoop final : public Workload {
 public:
  ClosedLoop(const Prompts& prompts, int64_t concurrency) : prompts_(prompts), free_(concurrency) {}

  std::optional<Job> next(double) override {
    if (free_ == 0) return std::nullopt;
    --free_;
    return prompts_.job(index_++);
  }
  void finished(const Job&, const std::optional<std::string>&) override { ++free_; }

 private:
  const Prompts& prompts_;
  int64_t free_;
  uint64_t index_ = 0;
};

class OpenLoop final : public Workload {
 public:
  OpenLoop(const Prompts& prompts, double rate, uint64_t seed) : prompts_(prompts), rate_(rate), seed_(seed) {
    draw_gap();
  }

  std::optional<Job> next(double now) override {
    if (now < time_) return std::nullopt;
    Job job = prompts_.job(index_++);
    job.due = time_;
    draw_gap();
    return job;
  }
  std::optional<double> next_time() const override { return time_; }
  void finished(const Job&, const std::optional<std::string>&) override {}

 private:
  void draw_gap() { time_ += -std::log1p(-Random(seed_, kArrivalStream, index_).uniform()) / rate_; }

  const Prompts& prompts_;
  double rate_;
  uint64_t seed_;
  uint64_t index_ = 0;
  double time_ = 0;
};

}  // namespace

std::unique_ptr<Workload> closed_loop(const Prompts& prompts, int64_t concurrency) {
  return std::make_unique<ClosedLoop>(prompts, concurrency);
}

std::unique_ptr<Workload> open_loop(const Prompts& prompts, double rate, uint64_t seed) {
  return std::make_unique<OpenLoop>(prompts, rate, seed);
}

}  // namespace cleave::load
