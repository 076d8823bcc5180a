#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/sampler.h"
#include "engine/token_constraint.h"

namespace cleave::engine {

using TimePoint = std::chrono::steady_clock::time_point;

/// Most entries of Request::logprobs: each takes memory for every token.
inline constexpr int kMaxLogprobs = 128;

/// A prompt, and how it is to be answered.
struct Request {
  std::vector<int32_t> prompt = {};  // at least one token
  SamplingParams sampling = {};
  int64_t max_new_tokens = std::numeric_limits<int64_t>::max();  // at least 1; 0 where the prompt alone is scored
  std::vector<int32_t> end_tokens = {};                          // one of them, generated, ends the answer
  /// Keep the sequence and its cached keys and values after the answer, to be continued by resume().
  bool keep = false;
  /// Requests with a smaller number come first, and lose their memory last.
  int64_t priority = 0;
  /// Requests share what is cached of equal prompts only where this is equal, too.
  std::string cache_salt = {};
  /// Most probable tokens told with each token of the answer, at most kMaxLogprobs; 0: the chosen one's
  /// log-probability alone; -1: none.
  int logprobs = -1;
  /// Tell the log-probabilities of the prompt's tokens, too, with as many of the most probable ones as `logprobs` says.
  bool prompt_logprobs = false;
  /// What the answer may say; null: anything.
  std::shared_ptr<TokenConstraint> constraint = {};
  /// When the answer ends, complete or not.
  std::optional<TimePoint> deadline = {};
};

}  // namespace cleave::engine
