#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "engine/choice.h"
#include "engine/request.h"

namespace cleave::engine {

/// What an operator wants to know of an engine. Numbers of one moment, but not all of the same.
struct Statistics {
  // As they are.
  int64_t running = 0, waiting = 0;                       // sequences
  int64_t blocks = 0, free_blocks = 0, named_blocks = 0;  // of free ones, those with names hold what was computed
  int64_t waiting_tokens = 0;                             // of prompts that are left to compute, but what is cached
  SequenceId newest = -1;                                 // the last sequence that has come; larger ids will come yet
  double seconds_per_prompt_token = 0;                    // of the first tokens of a text, as learned
  std::optional<TimePoint> step_began = {};               // of the step under way; nothing: none is
  std::optional<TimePoint> step_ended = {};               // of the last one; nothing: there was none

  // Since the engine was made.
  int64_t prompt_tokens = 0, cached_tokens = 0;  // of prompts that were admitted, and those of them that were cached
  int64_t computed_prompt_tokens = 0;            // those computed again among them
  int64_t generated_tokens = 0;
  int64_t preemptions = 0;
  int64_t steps = 0;
  double step_seconds = 0;   // of all steps, with what the engine itself does
  double model_seconds = 0;  // of those, what ranks computed and exchanged
  /// Of those, what rank 0 exchanged, or waited for other ranks.
  double exchange_seconds = 0;
};

/// Where the engine's thread writes its statistics and any other reads them, without a lock: each number by itself.
class StatisticsBoard {
 public:
  void write(const Statistics& statistics);
  Statistics read() const;
  /// A step begins now.
  void begin_step(TimePoint now) { step_began_ = now.time_since_epoch().count(); }

 private:
  static constexpr int64_t kNever = INT64_MIN;

  std::atomic<int64_t> running_{0}, waiting_{0}, blocks_{0}, free_blocks_{0}, named_blocks_{0}, waiting_tokens_{0},
      newest_{-1};
  std::atomic<double> seconds_per_prompt_token_{0};
  std::atomic<int64_t> step_began_{kNever}, step_ended_{kNever};  // ticks of the clock
  std::atomic<int64_t> prompt_tokens_{0}, cached_tokens_{0}, computed_prompt_tokens_{0}, generated_tokens_{0};
  std::atomic<int64_t> preemptions_{0}, steps_{0};
  std::atomic<double> step_seconds_{0}, model_seconds_{0}, exchange_seconds_{0};
};

}  // namespace cleave::engine
