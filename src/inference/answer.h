#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::inference {

/// Tokens and seconds of one or several answers. The first token of an answer belongs to its prompt.
struct Statistics {
  int64_t prompt_tokens = 0, new_tokens = 0, decoded_tokens = 0;
  double load_seconds = 0, prompt_seconds = 0, decode_seconds = 0;

  /// "prompt 37 tokens, 310.2 tokens/s; answer 8 tokens, 92.1 tokens/s; loaded in 0.42 s".
  std::string text() const;
};

/// Runs the engine until the answer of `sequence`, which computes `prompt_tokens` first, is complete or `cancelled`
/// says so, and gives its text to `write` as it becomes certain, up to the first of `stops`. Adds to `statistics`.
/// Other sequences must not be under way. Gives why the answer ended. Throws Error where a token cannot be chosen.
engine::FinishReason stream_answer(engine::Engine& engine, engine::SequenceId sequence, int64_t prompt_tokens,
                                   const text::Tokenizer& tokenizer, const std::vector<std::string>& stops,
                                   const std::function<void(std::string_view)>& write,
                                   const std::function<bool()>& cancelled, Statistics& statistics);

/// Seconds since some time in the past.
double seconds_now();

}  // namespace cleave::inference
