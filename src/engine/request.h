#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "engine/sampler.h"

namespace cleave::engine {

/// Names a sequence for as long as the engine knows it; never used twice.
using SequenceId = int64_t;

/// What is to be generated.
struct Request {
  std::vector<int32_t> prompt = {};  // at least one token
  SamplingParams sampling = {};
  int64_t max_new_tokens = std::numeric_limits<int64_t>::max();  // at least 1
  std::vector<int32_t> end_tokens = {};                          // one of them, generated, ends the answer
  /// Keep the sequence and its cached keys and values after the answer, to be continued by Engine::resume().
  bool keep = false;
};

enum class FinishReason : uint8_t {
  EndToken,  // an end token was generated
  Length,    // max_new_tokens are there
  Context,   // the key-value cache holds no further position
};

/// A token that a step generated.
struct NewToken {
  SequenceId sequence;
  int32_t token;
  std::optional<FinishReason> finish;  // set with the last token of an answer
};

}  // namespace cleave::engine
