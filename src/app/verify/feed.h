#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "app/verify/cases.h"
#include "engine/step_model.h"

namespace cleave::app {

/// A case on its way through the model: how its tokens are cut into steps, and what came out.
struct Track {
  const VerifyCase* reference = nullptr;
  int64_t chunk = 1;  // tokens of a step while the input is processed; the greedy tokens follow one by one
  int64_t delay = 0;  // steps that pass before it begins

  float largest_difference = 0;  // of a logit from its reference; infinity where one is no number
  int64_t greedy_equal = 0;
  /// Largest distance, over the tokens that differ, by which the model preferred its own token to the reference's,
  /// relative to its largest logit. A distance within the tolerance is one that rounding may cause.
  float greedy_distance = 0;

  float relative_error() const { return largest_difference / reference->largest; }
};

/// Runs all tracks together, as many as fit in each step, and compares every row of logits: with the reference's for
/// the input, with the reference's choice for the greedy tokens, of which the reference's, not the model's, are fed.
/// REQUIRES: key-value blocks for all tracks.
void feed(engine::StepModel& model, std::span<Track> tracks);

}  // namespace cleave::app
