#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "inference/opened.h"
#include "inference/translation/beam_search.h"
#include "inference/translation/translation_settings.h"
#include "runtime/split_model.h"

namespace cleave::inference {

/// Writes texts that depend on others. What depends on the text that is read alone is computed once for it and shared
/// by all beams; beams share what they begin with, in whole blocks. Used by one thread, that of the model's group.
class Translator {
 public:
  /// Borrows all. The model must have been loaded with translation_sizes().
  Translator(const OpenedModel& opened, runtime::SplitModel& model);

  /// The best texts, best first, without the token that they begin with. Throws Error(InvalidArgument) for a text
  /// without tokens, a longer one than the model was loaded for, or rules that leave no token; Corrupt where a row of
  /// logits has no number.
  std::vector<Hypothesis> translate(std::span<const int32_t> source, const TranslationSettings& settings);

 private:
  /// A running text in the cache: `cached` tokens of it, the start token included, in these blocks.
  struct Kept {
    std::vector<int32_t> blocks;
    int64_t cached = 0;
  };

  void encode(std::span<const int32_t> source);
  void step(const std::vector<BeamSearch::Beam>& beams, int32_t start);
  void score(const BeamSearch::Beam& beam, const TranslationSettings& settings, std::span<float> scores);
  void follow(const std::vector<BeamSearch::Beam>& beams);
  int32_t take_block();
  void release(const std::vector<int32_t>& blocks);

  runtime::SplitModel& model_;
  const int encode_program_;
  std::vector<int32_t> users_;  // of each block
  std::vector<int32_t> source_blocks_;
  int64_t source_length_ = 0;
  std::vector<Kept> kept_;     // of each running text
  std::vector<float> logits_;  // [running texts, vocabulary]
  std::vector<int32_t> text_;  // that is scored, from the start token on
};

}  // namespace cleave::inference
