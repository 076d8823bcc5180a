#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

#include "engine/engine.h"
#include "server/live/metrics.h"

namespace cleave::server {

/// The thread of an engine, as others see it: what it delivers, and whether it gets on. state() is thread-safe, all
/// else belongs to the engine's thread.
class EngineLoop {
 public:
  using Batch = std::vector<engine::NewToken>;

  /// `deliver` takes what a step has brought, on the engine's thread. The engine must outlive the loop.
  EngineLoop(engine::Engine& engine, std::function<void(Batch)> deliver)
      : engine_(engine), deliver_(std::move(deliver)) {}

  /// Runs steps until `stop` is requested and nothing is left to do. Throws what the model throws.
  void run(const std::stop_token& stop);

  /// Steps so far, and how long the one at hand has taken.
  EngineState state() const;

 private:
  using Clock = std::chrono::steady_clock;
  static int64_t now() { return Clock::now().time_since_epoch().count(); }
  bool step();
  void note_state();

  engine::Engine& engine_;
  const std::function<void(Batch)> deliver_;
  std::atomic<int64_t> steps_{0}, step_time_{0};  // finished ones, and their clock ticks
  // Of the engine's scheduler, behind the last step.
  std::atomic<int64_t> running_{0}, waiting_{0}, used_blocks_{0}, blocks_{1}, preemptions_{0};
  std::atomic<int64_t> began_{0};  // the clock when the step at hand began; 0 between steps
};

}  // namespace cleave::server
