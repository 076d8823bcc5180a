#pragma once

#include "engine/sampler.h"

namespace cleave::engine {

/// A logit under the repeat penalty.
inline float penalised(float logit, double repeat_penalty) {
  const auto penalty = static_cast<float>(repeat_penalty);
  return logit > 0 ? logit / penalty : logit * penalty;
}

/// What frequency and presence penalty take off the logit of a token that the answer holds `count` times.
inline float punishment(const SamplingParams& params, int32_t count) {
  return static_cast<float>(params.frequency_penalty * count + params.presence_penalty);
}

/// Changes the logits of scratch.candidates as penalties, biases, allowed tokens and a constraint change those of all
/// tokens; forbidden ones become -infinity. LogitRules are left out.
void lower(const SamplingParams& params, const History& history, SamplingScratch& scratch);

}  // namespace cleave::engine
