#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/thread_pool.h"
#include "engine/sequence.h"

namespace cleave::engine {

/// What is done with one row of a step's logits: a token is chosen, or one of the prompt is scored. Tasks touch nothing
/// that they share, so that threads can do those of a step at the same time.
struct RowTask {
  Sequence* sequence = nullptr;
  std::span<const float> logits = {};  // [vocab]
  std::optional<int32_t> scored = {};  // the token whose log-probability is wanted; nothing: one is chosen

  // What comes of it.
  int32_t token = -1;                                  // the chosen one
  std::shared_ptr<const TokenLogprobs> logprobs = {};  // null where not wanted
  std::shared_ptr<const Error> error = {};             // why there is neither; null: there is
};

/// The error that a call throws; null: none.
std::shared_ptr<const Error> error_from(FunctionRef<void()> call) noexcept;

/// Does the task.
void carry_out(RowTask& task, SamplingScratch& scratch) noexcept;

}  // namespace cleave::engine
