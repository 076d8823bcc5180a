#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "engine/sampler.h"

namespace cleave::engine {

/// A prompt, and how it is to be answered.
struct Request {
  std::vector<int32_t> prompt = {};  // at least one token
  SamplingParams sampling = {};
  int64_t max_new_tokens = std::numeric_limits<int64_t>::max();  // at least 1
  std::vector<int32_t> end_tokens = {};                          // one of them, generated, ends the answer
  /// Keep the sequence and its cached keys and values after the answer, to be continued by resume().
  bool keep = false;
};

}  // namespace cleave::engine
