#pragma once

#include <cstdint>
#include <span>

namespace cleave::engine {

/// What one answer may say next, told token by token: a grammar, as a rule. An object belongs to one answer and is
/// called on the engine's thread only. What it throws ends its answer (FinishReason::Failed) and no other.
class TokenConstraint {
 public:
  virtual ~TokenConstraint() = default;
  /// Clears in `allowed`, one bit a token in [ceil(vocab / 32)] words, the lowest bit first, what may not come next.
  virtual void mask(std::span<uint32_t> allowed) = 0;
  /// What was chosen, end tokens included.
  virtual void accept(int32_t token) = 0;
};

}  // namespace cleave::engine
