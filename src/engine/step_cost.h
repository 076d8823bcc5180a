#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace cleave::engine {

/// What a step computes, as far as its time depends on it.
struct StepWork {
  int64_t decode_rows = 0;      // single tokens of answers
  int64_t prompt_tokens = 0;    // of chunks
  double prompt_positions = 0;  // sum of the positions of these tokens, which say how much each attends to

  /// The work of a chunk of tokens that begins at `position`.
  static StepWork chunk(int64_t tokens, int64_t position);
  StepWork& operator+=(const StepWork& other);
};

/// How long steps take, learned from those that were measured: a time for each step and each row of an answer, and for
/// each token of a prompt, which grows with its position. What was predicted wrongly is corrected in proportion to each
/// part's share, more boldly at the beginning. Not thread-safe.
class StepCost {
 public:
  /// Seconds that a step with this work will take.
  double of(const StepWork& work) const;
  /// The most tokens of a chunk at `position` that take no longer than `seconds` beside what is in the step anyway.
  int64_t affordable(double seconds, int64_t position) const;
  /// A step with this work took that long.
  void learn(const StepWork& work, double seconds);

 private:
  static constexpr size_t kParts = 4;
  struct Part {
    double seconds;       // for a unit
    int64_t lessons = 0;  // steps of which it was a large part
  };
  static std::array<double, kParts> units(const StepWork& work);

  // A step, a decode row, a prompt token, a thousand positions of prompt tokens. A guess until something is measured.
  std::array<Part, kParts> parts_ = {{{1e-3}, {1e-4}, {1e-4}, {1e-5}}};
};

}  // namespace cleave::engine
