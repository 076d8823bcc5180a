#include "server/live/engine_loop.h"

#include <algorithm>
#include <utility>

namespace cleave::server {

void EngineLoop::run(const std::stop_token& stop) {
  while (step() || engine_.inbox().wait(stop)) {
  }
}

bool EngineLoop::step() {
  Batch batch;
  const int64_t begin = now();
  began_ = begin;
  const bool computed = engine_.step([&](const engine::NewToken& token) { batch.push_back(token); });
  began_ = 0;
  note_state();
  if (computed) {
    ++steps_;
    step_time_ += now() - begin;
  }
  if (!batch.empty()) deliver_(std::move(batch));
  return computed;
}

void EngineLoop::note_state() {
  const engine::Scheduler& scheduler = engine_.scheduler();
  running_ = scheduler.num_running();
  waiting_ = scheduler.num_waiting();
  blocks_ = scheduler.blocks().num_blocks();
  used_blocks_ = scheduler.blocks().num_blocks() - scheduler.blocks().num_free();
  preemptions_ = scheduler.totals().preemptions;
}

EngineState EngineLoop::state() const {
  const auto seconds = [](int64_t ticks) { return std::chrono::duration<double>(Clock::duration(ticks)).count(); };
  const int64_t began = began_;
  EngineState state;
  state.running = running_;
  state.waiting = waiting_;
  state.kv_usage = static_cast<double>(used_blocks_) / static_cast<double>(std::max<int64_t>(1, blocks_));
  state.preemptions = preemptions_;
  state.steps = steps_;
  state.step_seconds = seconds(step_time_);
  state.seconds_in_step = began == 0 ? 0 : seconds(now() - began);
  return state;
}

}  // namespace cleave::server
