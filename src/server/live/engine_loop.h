#pragma once

#include <functional>
#include <stop_token>
#include <vector>

#include "engine/engine.h"
#include "server/live/metrics.h"

namespace cleave::server {

/// The thread of an engine, as others see it: what it delivers, and whether it gets on. What says nothing else belongs
/// to the engine's thread.
class EngineLoop {
 public:
  using Batch = std::vector<engine::NewToken>;

  /// `deliver` takes what a step has brought, on the engine's thread. The engine must outlive the loop.
  EngineLoop(engine::Engine& engine, std::function<void(Batch)> deliver)
      : engine_(engine), deliver_(std::move(deliver)) {}

  /// Runs steps until `stop` is requested and nothing is left to do. Throws what the model throws.
  void run(const std::stop_token& stop);

  /// What the engine says of itself. Thread-safe.
  EngineState state() const;

 private:
  bool step();

  engine::Engine& engine_;
  const std::function<void(Batch)> deliver_;
};

}  // namespace cleave::server
