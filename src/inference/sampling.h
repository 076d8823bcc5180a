#pragma once

#include <cstdint>
#include <optional>

#include "base/json.h"
#include "engine/sampler.h"

namespace cleave::inference {

/// How tokens are chosen, as far as the user says; the rest is up to the model.
struct SamplingOptions {
  std::optional<double> temperature = {}, top_p = {}, min_p = {}, repeat_penalty = {};
  std::optional<int64_t> top_k = {};
  std::optional<uint64_t> seed = {};
};

/// Parameters of a request: the user's, then what generation_config.json says if it asks for sampling. Without either
/// the most probable token is taken; an option that only means something when sampling brings temperature 1 along.
/// Without a seed, a random one. Throws Error(InvalidArgument) naming the value that is out of range.
engine::SamplingParams sampling_params(const SamplingOptions& options, const Json& generation_config);

}  // namespace cleave::inference
