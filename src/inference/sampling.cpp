#include "inference/sampling.h"

#include <fmt/format.h>

#include <random>

#include "base/error.h"
#include "base/strings.h"
#include "inference/generation_settings.h"

namespace cleave::inference {
namespace {

// What Transformers takes where generation_config.json asks for sampling and does not say.
constexpr int64_t kDefaultTopK = 50;

// What the user says, by itself: then what is found out of range afterwards is the model's.
void check(const SamplingOptions& options) {
  engine::SamplingParams params;
  params.temperature = options.temperature.value_or(params.temperature);
  params.top_k = options.top_k.value_or(params.top_k);
  params.top_p = options.top_p.value_or(params.top_p);
  params.min_p = options.min_p.value_or(params.min_p);
  params.repeat_penalty = options.repeat_penalty.value_or(params.repeat_penalty);
  engine::check(params);
  engine::check(engine::LogitRules{.no_repeat_ngram = options.no_repeat_ngram.value_or(0),
                                   .min_new_tokens = options.min_new_tokens.value_or(0)});
}

engine::LogitRules rules_of(const SamplingOptions& options, const GenerationSettings& settings) {
  engine::LogitRules rules;
  const auto number = [&](const std::optional<int64_t>& asked, const char* key) {
    return asked ? *asked : settings.integer(key).value_or(0);
  };
  rules.no_repeat_ngram = number(options.no_repeat_ngram, "no_repeat_ngram_size");
  rules.bad_words = settings.id_lists("bad_words_ids");
  rules.min_length = number({}, "min_length");
  rules.min_new_tokens = number(options.min_new_tokens, "min_new_tokens");
  rules.forced_first = settings.id("forced_bos_token_id");
  rules.forced_last = settings.ids("forced_eos_token_id");
  rules.suppress = options.suppress ? *options.suppress : settings.ids("suppress_tokens");
  rules.begin_suppress = settings.ids("begin_suppress_tokens");
  return rules;
}

// Temperature and the rules behind it.
void choose_randomness(engine::SamplingParams& params, const SamplingOptions& options,
                       const GenerationSettings& settings) {
  const bool model_samples = settings.is_true("do_sample");
  const auto choose = [&](const std::optional<double>& asked, const char* key, double otherwise) {
    if (asked) return *asked;
    return model_samples ? settings.number(key).value_or(otherwise) : otherwise;
  };
  const bool wants_sampling = options.top_k || options.top_p || options.min_p || options.seed;
  params.temperature = choose(options.temperature, "temperature", model_samples || wants_sampling ? 1 : 0);
  const int64_t model_top_k = model_samples ? settings.integer("top_k").value_or(kDefaultTopK) : 0;
  params.top_k = options.top_k.value_or(model_top_k);
  params.top_p = choose(options.top_p, "top_p", 1);
  params.min_p = choose(options.min_p, "min_p", 0);
}

}  // namespace

const Json& generation_settings(const ckpt::Checkpoint& checkpoint) {
  return checkpoint.generation_config().empty() ? checkpoint.config() : checkpoint.generation_config();
}

engine::SamplingParams sampling_params(const SamplingOptions& options, const Json& json) {
  check(options);
  const GenerationSettings settings(json);
  engine::SamplingParams params;
  choose_randomness(params, options, settings);
  params.repeat_penalty =
      options.repeat_penalty ? *options.repeat_penalty : settings.number("repetition_penalty").value_or(1);
  params.seed = options.seed ? *options.seed : std::random_device()();
  if (engine::LogitRules rules = rules_of(options, settings); rules.any())
    params.rules = std::make_shared<const engine::LogitRules>(std::move(rules));
  try {
    engine::check(params);
  } catch (const Error& error) {
    fail(error.kind(), "generation_config.json: {}", error.what());
  }
  return params;
}

std::optional<int64_t> max_new_tokens(std::optional<int64_t> asked, const Json& json, int64_t prompt_tokens) {
  if (asked) return asked;
  const GenerationSettings settings(json);
  if (const auto number = settings.integer("max_new_tokens")) return number;
  const std::optional<int64_t> length = settings.integer("max_length");
  if (length && *length <= prompt_tokens)
    fail(
        ErrorKind::InvalidArgument,
        "the prompt has {} tokens, where generation_config.json sets a max_length of {} for prompt and answer; say how "
        "long the answer may be",
        prompt_tokens, *length);
  return length ? std::optional(*length - prompt_tokens) : std::nullopt;
}

void warn_of_unread_settings(const Json& generation_config, const Log& log) {
  const std::vector<std::string> unread = GenerationSettings(generation_config).unread();
  if (!unread.empty())
    write(log, LogLevel::Warning,
          fmt::format("generation_config.json sets what is not done here: {}", join(unread, ", ")));
}

}  // namespace cleave::inference
