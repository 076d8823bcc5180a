#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/json.h"
#include "ckpt/checkpoint.h"
#include "engine/sampler.h"
#include "inference/log.h"

namespace cleave::inference {

/// How tokens are chosen, as far as the user says; the rest is up to the model.
struct SamplingOptions {
  std::optional<double> temperature = {}, top_p = {}, min_p = {}, repeat_penalty = {};
  std::optional<int64_t> top_k = {};
  std::optional<uint64_t> seed = {};
  std::optional<int64_t> no_repeat_ngram = {};  // no sequence of that many tokens twice; 0: all may be
  std::optional<int64_t> min_new_tokens = {};   // no end token before as many
  std::optional<std::vector<int32_t>> suppress = {};
};

/// How the model's authors want tokens chosen: generation_config.json, or where there is none config.json, which held
/// these settings before. Borrowed from the checkpoint.
const Json& generation_settings(const ckpt::Checkpoint& checkpoint);

/// Parameters of a request: the user's, then those of `settings`. What rules forbid or force holds for every choice,
/// as in Transformers; temperature and the rules behind it count only where `do_sample` is true. Without either the
/// most probable token is taken; an option that only means something when sampling brings temperature 1 along. Without
/// a seed, a random one. Throws Error(InvalidArgument) naming the value that is out of range, Error(Corrupt) for a
/// setting of another type.
engine::SamplingParams sampling_params(const SamplingOptions& options, const Json& settings);

/// The most tokens of an answer to a prompt: the user's number, or what the model's `max_new_tokens` or else its
/// `max_length` (of prompt and answer together) says; nothing where none says any. Throws Error(InvalidArgument) for a
/// prompt that fills max_length.
std::optional<int64_t> max_new_tokens(std::optional<int64_t> asked, const Json& settings, int64_t prompt_tokens);

/// Warns, in one line, of what generation_config.json sets and nothing here does.
void warn_of_unread_settings(const Json& generation_config, const Log& log);

}  // namespace cleave::inference
