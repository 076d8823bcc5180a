#include "load/runner.h"

#include <utility>

namespace cleave::load {
namespace {

constexpr double kTickSeconds = 0.1;
// Further requests wait here, not there: sockets of a process are few.
constexpr size_t kMostOpen = 8192;

}  // namespace

Runner::Runner(Network& network, const RequestSettings& settings, std::string key, Workload& workload,
               const RunLimits& limits)
    : network_(network), settings_(settings), key_(std::move(key)), workload_(workload), limits_(limits) {}

std::vector<Result> Runner::run(const std::function<void(int64_t)>& progress) {
  progress_ = progress;
  start_ = std::chrono::steady_clock::now();
  network_.post([this] { tick(); });
  network_.run();
  return std::move(results_);
}

void Runner::stop() {
  network_.post([this, life = std::weak_ptr(life_)] {
    if (!life.expired()) stopped_ = true;
  });
}

void Runner::later(double seconds, void (Runner::*work)()) {
  network_.after(std::chrono::duration<double>(seconds), [this, work, life = std::weak_ptr(life_)] {
    if (!life.expired()) (this->*work)();
  });
}

double Runner::now() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool Runner::may_begin() const {
  return !stopped_ && (!limits_.requests || num_begun_ < *limits_.requests) &&
         (!limits_.seconds || now() < *limits_.seconds);
}

void Runner::pump() {
  while (open_.size() < kMostOpen && may_begin()) {
    std::optional<Job> job = workload_.next(now());
    if (!job) break;
    begin(std::move(*job));
  }
  if (open_.empty() && (!may_begin() || !workload_.next_time())) return network_.stop();
  arm_timer();
}

// One timer at a time, since each leads back here. None is late: what is due next never goes back.
void Runner::arm_timer() {
  const std::optional<double> next = may_begin() ? workload_.next_time() : std::nullopt;
  if (!next || open_.size() >= kMostOpen || is_armed_) return;
  is_armed_ = true;
  later(*next - now(), &Runner::wake);
}

void Runner::wake() {
  is_armed_ = false;
  pump();
}

void Runner::begin(Job job) {
  const int64_t id = num_begun_++;
  std::string body = body_of(job, settings_);
  const auto exchange = std::make_shared<Exchange>(std::move(job), now());
  Open& open = open_[id];
  open.exchange = exchange;
  open.connection = network_.open(request_bytes(network_.target(), "POST", path_of(settings_.api), key_, body),
                                  {.received =
                                       [this, id, exchange](std::string_view bytes) {
                                         exchange->received(bytes, now());
                                         look_at(id);
                                       },
                                   .ended =
                                       [this, id, exchange](const std::string& problem) {
                                         exchange->ended(problem, now());
                                         look_at(id);
                                       }});
}

// Takes an exchange out that is over; the next one may begin.
void Runner::look_at(int64_t id) {
  const auto found = open_.find(id);
  if (found == open_.end() || !found->second.exchange->over()) return;
  const Open open = std::move(found->second);
  open_.erase(found);
  open.connection->close();
  record(*open.exchange);
  pump();
}

void Runner::record(const Exchange& exchange) {
  results_.push_back(exchange.result());
  const bool good = exchange.result().good();
  workload_.finished(exchange.job(), good ? std::optional(exchange.text()) : std::nullopt);
}

void Runner::tick() {
  if (progress_) progress_(static_cast<int64_t>(results_.size()));
  end_late_ones(now());
  later(kTickSeconds, &Runner::tick);
  pump();
}

void Runner::end_late_ones(double time) {
  const bool all = stopped_ || (limits_.seconds && time > *limits_.seconds + limits_.drain_seconds);
  std::vector<int64_t> late;
  for (const auto& [id, open] : open_)
    if (all || time - open.exchange->result().sent > limits_.timeout_seconds) late.push_back(id);
  for (const int64_t id : late) {
    const Open& open = open_.at(id);
    if (all)
      open.exchange->give_up(kUnderWay, "", time);
    else
      open.exchange->give_up("timeout", "no whole answer in time", time);
    open.connection->close();
    record(*open.exchange);
    open_.erase(id);
  }
}

}  // namespace cleave::load
