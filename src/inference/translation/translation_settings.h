#pragma once

#include <cstdint>
#include <optional>

#include "base/json.h"
#include "engine/logit_rules.h"
#include "inference/opened.h"
#include "inference/sampling.h"
#include "inference/translation/beam_search.h"
#include "runtime/device/options.h"

namespace cleave::inference {

/// Most texts that are searched for at a time.
inline constexpr int64_t kMostBeams = 256;

/// How a text is written that depends on another one.
struct TranslationSettings {
  BeamSettings search;
  int32_t start = 0;          // the token that every text begins with (decoder_start_token_id)
  engine::LogitRules rules;   // to which that token is a prompt
  double repeat_penalty = 1;  // as engine::SamplingParams has it
  size_t returned = 1;        // texts, at most as many as beams
};

/// What the user says of it; the rest is up to the model.
struct TranslationOptions {
  SamplingOptions sampling = {};  // of which only what forbids or penalises tokens counts
  std::optional<int64_t> max_new_tokens = {}, beams = {};
  std::optional<int32_t> forced_first = {};
};

/// The user's settings, then those of `settings` (sampling.h), under the names of Transformers' GenerationConfig. Texts
/// get no longer than the positions that the model has learned for them. Throws Error(Unsupported) where no file tells
/// the token that texts begin with, or one sets what would change the text and is not done here; as sampling_params()
/// does for values out of range.
TranslationSettings translation_settings(const OpenedModel& opened, const Json& settings,
                                         const TranslationOptions& options);

/// Tokens that a text to be read can have at most, where the model has learned positions for them.
std::optional<int64_t> source_limit(const OpenedModel& opened);

/// Sizes with which a model is to be loaded, for a text of `source` tokens to be read. Throws Error(InvalidArgument)
/// where texts and beams are more than a cache holds.
runtime::Sizes translation_sizes(int64_t source, const TranslationSettings& settings);

}  // namespace cleave::inference
