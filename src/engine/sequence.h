#pragma once

#include <span>
#include <vector>

#include "engine/kv_blocks.h"
#include "engine/request.h"
#include "engine/sampler.h"

namespace cleave::engine {

/// A sequence of tokens on its way through the model. Prompt and generated tokens are treated alike: those not yet
/// computed are processed, in one or several steps, and when none is left the next one is sampled.
struct Sequence {
  SequenceId id = 0;
  std::vector<int32_t> tokens = {};                  // the prompt and what was generated
  int64_t computed = 0;                              // of them, those whose keys and values are in the blocks
  int64_t length_limit = 0;                          // the answer ends where there are that many tokens
  FinishReason limit_reason = FinishReason::Length;  // why it ends there
  std::vector<int32_t> end_tokens = {};
  bool keep = false;
  KvBlocks::Table blocks = {};
  int64_t state_slot = -1;  // where the model keeps recurrent states; taken and lost together with the blocks
  Sampler sampler;

  int64_t length() const { return static_cast<int64_t>(tokens.size()); }
  int64_t pending() const { return length() - computed; }
};

}  // namespace cleave::engine
