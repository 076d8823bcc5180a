#pragma once

#include <cstdint>
#include <functional>
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
  /// Tokens of the input that are known from the beginning; those that follow come one by one, as in an answer. 0: all.
  int64_t prompt = 0;

  float largest_difference = 0;  // of a logit from its reference; infinity where one is no number
  int64_t greedy_equal = 0;
  /// Largest distance, over the tokens that differ, by which the model preferred its own token to the reference's,
  /// relative to its largest logit. A distance within the tolerance is one that rounding may cause.
  float greedy_distance = 0;

  float relative_error() const { return largest_difference / reference->largest; }
};

/// Runs all tracks together, as many as fit in each step, and compares every row of logits: with the reference's for
/// the input, with the reference's choice for the greedy tokens, of which the reference's, not the model's, are fed.
/// A track that passes a length beyond which the model wants all to be computed anew is fed so, as the engine does;
/// what was computed while it was too short for the reference's frequencies is not compared.
/// The text that a track depends on is given to `encode` first, in a step of its own.
/// REQUIRES: key-value blocks for all tracks, and a slot where the model keeps states.
void feed(engine::StepModel& model, std::span<Track> tracks,
          const std::function<void(const runtime::StepInput&)>& encode = {});

}  // namespace cleave::app
