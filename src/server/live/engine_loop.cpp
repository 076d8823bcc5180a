#include "server/live/engine_loop.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace cleave::server {

void EngineLoop::run(const std::stop_token& stop) {
  while (step() || engine_.inbox().wait(stop)) {
  }
}

bool EngineLoop::step() {
  Batch batch;
  const bool computed = engine_.step([&](const engine::NewToken& token) { batch.push_back(token); });
  if (!batch.empty()) deliver_(std::move(batch));
  return computed;
}

EngineState EngineLoop::state() const {
  const engine::Statistics seen = engine_.statistics();
  EngineState state;
  state.running = seen.running;
  state.waiting = seen.waiting;
  state.kv_usage =
      static_cast<double>(seen.blocks - seen.free_blocks) / static_cast<double>(std::max<int64_t>(1, seen.blocks));
  state.preemptions = seen.preemptions;
  state.steps = seen.steps;
  state.step_seconds = seen.step_seconds;
  state.host_seconds = seen.step_seconds - seen.model_seconds;
  if (seen.step_began)
    state.seconds_in_step = std::chrono::duration<double>(std::chrono::steady_clock::now() - *seen.step_began).count();
  return state;
}

}  // namespace cleave::server
