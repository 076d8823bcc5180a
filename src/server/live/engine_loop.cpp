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
  state.waiting_tokens = seen.waiting_tokens;
  state.kv_blocks = seen.blocks;
  state.kv_used = seen.blocks - seen.free_blocks;
  state.kv_cached = seen.named_blocks;
  state.kv_usage = static_cast<double>(state.kv_used) / static_cast<double>(std::max<int64_t>(1, seen.blocks));
  state.prompt_tokens = seen.prompt_tokens;
  state.cached_tokens = seen.cached_tokens;
  state.computed_prompt_tokens = seen.computed_prompt_tokens;
  state.generated_tokens = seen.generated_tokens;
  state.preemptions = seen.preemptions;
  state.steps = seen.steps;
  state.step_seconds = seen.step_seconds;
  state.exchange_seconds = seen.exchange_seconds;
  state.host_seconds = seen.step_seconds - seen.model_seconds;
  if (seen.step_began)
    state.seconds_in_step = std::chrono::duration<double>(std::chrono::steady_clock::now() - *seen.step_began).count();
  return state;
}

}  // namespace cleave::server
