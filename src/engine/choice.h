#pragma once

#include <cstdint>
#include <optional>

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
};

/// Numbers of tokens of an answer.
struct Usage {
  int64_t prompt_tokens = 0;     // all that precede the answer, earlier turns of a kept sequence included
  int64_t cached_tokens = 0;     // of those, the ones whose keys and values were there already
  int64_t generated_tokens = 0;  // an end token included

  bool operator==(const Usage&) const = default;
};

/// The token that a step chose for a sequence, or the news that its answer was cancelled. What a choice brings along,
/// such as log-probabilities, belongs here, since this is all that a reader of answers sees.
struct NewToken {
  SequenceId sequence = 0;
  std::optional<int32_t> token = {};        // nothing where the answer was cancelled
  std::optional<FinishReason> finish = {};  // set in the last one of an answer
  Usage usage = {};                         // of the answer so far, this token included
};

}  // namespace cleave::engine
