#pragma once

#include <condition_variable>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <stop_token>
#include <variant>
#include <vector>

#include "engine/sequence.h"

namespace cleave::engine {

/// The engine's door for other threads: takes requests and orders at any time, and hands them to the thread that runs
/// the steps, which carries them out in the order in which they came. Its mutex is the only one of the engine: a step
/// takes it once, for as long as it takes to swap two pointers.
///
/// Thread-safe, but for new_id() and take(), which are the engine's. Lives as long as its engine; no call may be in
/// progress when that ends. What has not been carried out by then never is.
class Inbox {
 public:
  explicit Inbox(const SequenceLimits& limits) : limits_(limits) {}

  /// Queues a request; the next step begins with it. Throws as make_sequence() does, at once. Its first tokens may be
  /// delivered before this returns.
  SequenceId add(Request request);

  /// Continues a sequence as Engine::resume() does. The future is ready when the next step has begun, and throws what
  /// forbids it: Error(InvalidArgument) for what Engine::resume() refuses, for a sequence that is not there and for one
  /// whose answer is not complete. Not to be waited for on the engine's own thread, where it would never be ready.
  std::future<void> resume(SequenceId id, std::vector<int32_t> tokens, int64_t max_new_tokens);

  /// As Engine::stop() and Engine::release(), when the next step begins. An answer that ends so is delivered a last
  /// time, with FinishReason::Cancelled.
  void stop(SequenceId id);
  void release(SequenceId id);

  /// Sleeps until there is something to carry out. Gives false where `stop` is requested and there is nothing. A loop
  /// that serves until it is stopped, then finishes what it has begun:
  ///
  ///     while (engine.step(deliver) || engine.inbox().wait(stop)) {}
  bool wait(const std::stop_token& stop);

  struct Add {
    std::unique_ptr<Sequence> sequence;
  };
  struct Resume {
    SequenceId id;
    std::vector<int32_t> tokens;
    int64_t max_new_tokens;
    std::promise<void> done;
  };
  struct Stop {
    SequenceId id;
  };
  struct Release {
    SequenceId id;
  };
  using Order = std::variant<Add, Resume, Stop, Release>;

  /// An id for a sequence that comes another way.
  SequenceId new_id();
  /// Moves what has come since the last call to `orders`, whose old content goes. Takes no memory where nothing has.
  void take(std::vector<Order>& orders);

 private:
  void put(Order order);

  const SequenceLimits limits_;
  std::mutex mutex_;
  std::condition_variable_any filled_;
  // Guarded by mutex_.
  std::vector<Order> orders_;
  SequenceId next_id_ = 1;
};

}  // namespace cleave::engine
