#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"

namespace cleave::engine {

/// The name of a sequence for as long as the engine knows it; never used twice.
using SequenceId = int64_t;

/// Why an answer ended.
enum class FinishReason : uint8_t {
  EndToken,   // an end token was generated
  StopText,   // its text holds a stop string: found by who reads it, since the engine knows tokens alone
  Length,     // max_new_tokens are there
  Context,    // the key-value cache holds no further position
  Cancelled,  // Inbox::stop() or release() came before its end
  Deadline,   // Request::deadline came before its end
  Failed,     // no token could be chosen: NewToken::error says why
};

/// Numbers of tokens of an answer.
struct Usage {
  int64_t prompt_tokens = 0;     // all that precede the answer, earlier turns of a kept sequence included
  int64_t cached_tokens = 0;     // of those, the ones whose keys and values were there already
  int64_t generated_tokens = 0;  // an end token included

  bool operator==(const Usage&) const = default;
};

/// A token and the natural logarithm of its probability: of the model's own, before penalties, rules, constraints and
/// temperature change it. -infinity where the model rules the token out.
struct TokenLogprob {
  int32_t token = 0;
  float logprob = 0;

  bool operator==(const TokenLogprob&) const = default;
};

/// What the model thought of a token at its place.
struct TokenLogprobs {
  float logprob = 0;                   // of the token itself
  std::vector<TokenLogprob> top = {};  // the most probable ones, as many as asked for, the most probable first
};

/// The token that a step chose for a sequence, or the news that its answer has ended without one (cancelled, failed,
/// past its deadline, or a prompt that was only scored). This is all that a reader of answers sees.
struct NewToken {
  SequenceId sequence = 0;
  std::optional<int32_t> token = {};        // nothing where the answer ended without one
  std::optional<FinishReason> finish = {};  // set in the last one of an answer
  Usage usage = {};                         // of the answer so far, this token included
  /// Of the token; null where Request::logprobs does not ask.
  std::shared_ptr<const TokenLogprobs> logprobs = {};
  /// Of all tokens of the prompt but the first, with the first news of an answer whose prompt is complete; null where
  /// Request::prompt_logprobs does not ask.
  std::shared_ptr<const std::vector<TokenLogprobs>> prompt_logprobs = {};
  /// Set where finish is Failed.
  std::shared_ptr<const Error> error = {};
};

}  // namespace cleave::engine
