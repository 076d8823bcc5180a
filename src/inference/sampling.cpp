#include "inference/sampling.h"

#include <random>

#include "base/error.h"

namespace cleave::inference {
namespace {

std::optional<double> number_in(const Json& config, const char* key) {
  const auto found = config.find(key);
  return found != config.end() && found->is_number() ? std::optional(found->get<double>()) : std::nullopt;
}

// What the user says, by itself: then what is found out of range afterwards is the model's.
void check(const SamplingOptions& options) {
  engine::SamplingParams params;
  params.temperature = options.temperature.value_or(params.temperature);
  params.top_k = options.top_k.value_or(params.top_k);
  params.top_p = options.top_p.value_or(params.top_p);
  params.min_p = options.min_p.value_or(params.min_p);
  params.repeat_penalty = options.repeat_penalty.value_or(params.repeat_penalty);
  engine::check(params);
}

}  // namespace

engine::SamplingParams sampling_params(const SamplingOptions& options, const Json& generation_config) {
  check(options);
  const auto sampling = generation_config.find("do_sample");
  const bool model_samples = sampling != generation_config.end() && *sampling == true;
  const auto choose = [&](const std::optional<double>& flag, const char* key, double otherwise) {
    if (flag) return *flag;
    return model_samples ? number_in(generation_config, key).value_or(otherwise) : otherwise;
  };
  const bool wants_sampling = options.top_k || options.top_p || options.min_p || options.seed;
  engine::SamplingParams params;
  params.temperature = choose(options.temperature, "temperature", model_samples || wants_sampling ? 1 : 0);
  params.top_k = options.top_k ? *options.top_k : static_cast<int64_t>(choose({}, "top_k", 0));
  params.top_p = choose(options.top_p, "top_p", 1);
  params.min_p = choose(options.min_p, "min_p", 0);
  params.repeat_penalty = choose(options.repeat_penalty, "repetition_penalty", 1);
  params.seed = options.seed ? *options.seed : std::random_device()();
  try {
    engine::check(params);
  } catch (const Error& error) {
    fail(error.kind(), "generation_config.json: {}", error.what());
  }
  return params;
}

}  // namespace cleave::inference
