#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "inference/opened.h"
#include "inference/translation/beam_search.h"
#include "runtime/split_model.h"

namespace cleave::inference {

/// How a text is written that depends on another one, in the terms of Transformers' GenerationConfig.
struct TranslationSettings {
  BeamSettings search;
  int32_t start = 0;                         // decoder_start_token_id
  std::optional<int32_t> forced_first = {};  // forced_bos_token_id: the first token behind `start`
  std::optional<int32_t> forced_last = {};   // forced_eos_token_id: the token with which the longest text ends
  int64_t min_new_tokens = 0;                // before which no end token comes
  int64_t no_repeat_ngram = 0;               // > 0: a run of so many tokens comes once
  size_t returned = 1;                       // texts, at most as many as beams
};

/// Settings of a model: generation_config.json's, where that does not tell config.json's; `max_new_tokens` where the
/// user wants so many. Throws Error(Unsupported) where no file tells the token that texts begin with, or a search of
/// another kind is asked for.
TranslationSettings translation_settings(const OpenedModel& opened, const Json& settings,
                                         std::optional<int64_t> max_new_tokens);

/// Sizes with which a model is to be loaded, for a text of `source` tokens to be read.
runtime::Sizes translation_sizes(int64_t source, const TranslationSettings& settings);

/// Writes texts that depend on others. What depends on the text that is read alone is computed once for it and shared
/// by all beams; beams share what they begin with, in whole blocks. Used by one thread, that of the model's group.
class Translator {
 public:
  /// Borrows all. The model must have been loaded with translation_sizes().
  Translator(const OpenedModel& opened, runtime::SplitModel& model);

  /// The best texts, best first, without the token that they begin with. Throws Error(InvalidArgument) for a text
  /// without tokens, or a longer one than the model was loaded for.
  std::vector<Hypothesis> translate(std::span<const int32_t> source, const TranslationSettings& settings);

 private:
  /// A running text in the cache: `cached` tokens of it, the start token included, in these blocks.
  struct Kept {
    std::vector<int32_t> blocks;
    int64_t cached = 0;
  };

  void encode(std::span<const int32_t> source);
  std::vector<float> step(const std::vector<BeamSearch::Beam>& beams, int32_t start);
  void follow(const std::vector<BeamSearch::Beam>& beams);
  int32_t take_block();
  void release(const std::vector<int32_t>& blocks);

  runtime::SplitModel& model_;
  const int encode_program_;
  std::vector<int32_t> users_;  // of each block
  std::vector<int32_t> source_blocks_;
  int64_t source_length_ = 0;
  std::vector<Kept> kept_;  // of each running text
};

}  // namespace cleave::inference
