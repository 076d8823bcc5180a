#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/thread_pool.h"
#include "engine/sequence.h"
#include "runtime/device/step.h"

namespace cleave::engine {

/// What is done with one row of a step's logits: a token is chosen, or one of the prompt is scored. Tasks touch nothing
/// that they share, so that threads can do those of a step at the same time.
struct RowTask {
  Sequence* sequence = nullptr;
  int32_t index = 0;  // of the row
  runtime::RowLogits row = {};
  std::optional<int32_t> scored = {};  // the token whose log-probability is wanted; nothing: one is chosen

  // What comes of it.
  bool needs_all = false;                              // nothing yet: all logits of the row are needed
  int32_t token = -1;                                  // the chosen one
  std::shared_ptr<const TokenLogprobs> logprobs = {};  // null where not wanted
  std::shared_ptr<const Error> error = {};             // why there is neither; null: there is
};

/// What the task of choosing a sequence's next token needs of its row, as a rule.
runtime::LogitsWish wish_of(const Sequence& sequence);

/// The error that a call throws; null: none.
std::shared_ptr<const Error> error_from(FunctionRef<void()> call) noexcept;

/// Does the task.
void carry_out(RowTask& task, SamplingScratch& scratch) noexcept;

}  // namespace cleave::engine
