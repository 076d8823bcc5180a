#include "inference/translation/translator.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/error.h"
#include "engine/logprobs.h"
#include "engine/lowering.h"
#include "runtime/device/kv_blocks.h"

namespace cleave::inference {
namespace {

// A token that occurs twice is penalised once.
void penalise_repeats(std::span<const int32_t> text, double repeat_penalty, std::span<float> scores) {
  const std::set<int32_t> tokens(text.begin(), text.end());
  for (const int32_t token : tokens) {
    float& score = scores[static_cast<size_t>(token)];
    score = engine::penalised(score, repeat_penalty);
  }
}

}  // namespace

Translator::Translator(const OpenedModel& opened, runtime::SplitModel& model)
    : model_(model), encode_program_(opened.encode_program()), users_(static_cast<size_t>(model.num_blocks()), 0) {}

std::vector<Hypothesis> Translator::translate(std::span<const int32_t> source, const TranslationSettings& settings) {
  std::ranges::fill(users_, 0);
  encode(source);
  kept_.assign(1, {});
  BeamSearch search(settings.search);
  while (!search.done()) {
    step(search.running(), settings.start);
    const size_t vocabulary = logits_.size() / search.running().size();
    for (size_t i = 0; i < search.running().size(); ++i)
      score(search.running()[i], settings, std::span(logits_).subspan(i * vocabulary, vocabulary));
    search.advance(logits_);
    if (!search.done()) follow(search.running());
  }
  return search.results(settings.returned);
}

// Turns a text's logits into scores of its next tokens. As in Transformers, rules change log-probabilities where there
// are beams, and logits where there are none.
void Translator::score(const BeamSearch::Beam& beam, const TranslationSettings& settings, std::span<float> scores) {
  if (engine::find_largest(scores) < 0)
    fail(ErrorKind::Corrupt,
         "the model computed {} logits of which none is a number; its weights or its configuration are damaged",
         scores.size());
  text_.assign(1, settings.start);
  text_.insert(text_.end(), beam.tokens.begin(), beam.tokens.end());
  if (settings.search.beams > 1) log_softmax(scores);
  const engine::History history{.tokens = text_,
                                .prompt_length = 1,
                                .length_limit = 1 + settings.search.max_new_tokens,
                                .end_tokens = settings.search.end_tokens};
  if (settings.repeat_penalty != 1) penalise_repeats(text_, settings.repeat_penalty, scores);
  settings.rules.apply(scores, history);
}

void Translator::encode(std::span<const int32_t> source) {
  source_length_ = static_cast<int64_t>(source.size());
  if (source.empty() || source_length_ > model_.options().sizes.max_tokens)
    fail(ErrorKind::InvalidArgument, "a text of {} tokens, wanted 1 to {}", source_length_,
         model_.options().sizes.max_tokens);
  source_blocks_.clear();
  for (int64_t i = 0; i < runtime::kv_blocks_for(source_length_); ++i) source_blocks_.push_back(take_block());
  const runtime::SequenceStep sequence{source_length_, 0, source_length_, source_blocks_, 0};
  model_.step({source, {&sequence, 1}, {}}, encode_program_);
}

// The logits of each running text's next token. What is not in the cache yet is computed.
void Translator::step(const std::vector<BeamSearch::Beam>& beams, int32_t start) {
  std::vector<int32_t> tokens, rows;
  std::vector<runtime::SequenceStep> sequences;
  for (size_t i = 0; i < beams.size(); ++i) {
    Kept& kept = kept_[i];
    const auto length = static_cast<int64_t>(beams[i].tokens.size()) + 1;
    while (static_cast<int64_t>(kept.blocks.size()) < runtime::kv_blocks_for(length))
      kept.blocks.push_back(take_block());
    for (int64_t t = kept.cached; t < length; ++t)
      tokens.push_back(t == 0 ? start : beams[i].tokens[static_cast<size_t>(t - 1)]);
    rows.push_back(static_cast<int32_t>(tokens.size()) - 1);
    sequences.push_back({length - kept.cached, kept.cached, length, kept.blocks, static_cast<int64_t>(i)});
    sequences.back().source_blocks = source_blocks_;
    sequences.back().source_length = source_length_;
    kept.cached = length;
  }
  const std::span<const float> logits = model_.step({tokens, sequences, rows}).logits;
  logits_.assign(logits.begin(), logits.end());
}

// Gives each running text what its parent has in the cache: all of it to the first, to others whole blocks alone, since
// a block that is not full is going to be written.
void Translator::follow(const std::vector<BeamSearch::Beam>& beams) {
  std::vector<Kept> next;
  std::vector<bool> is_taken(kept_.size(), false);
  for (const BeamSearch::Beam& beam : beams) {
    Kept kept = kept_[beam.parent];
    if (is_taken[beam.parent]) {
      kept.blocks.resize(static_cast<size_t>(kept.cached / runtime::kKvBlockSize));
      kept.cached = static_cast<int64_t>(kept.blocks.size()) * runtime::kKvBlockSize;
    }
    is_taken[beam.parent] = true;
    for (const int32_t block : kept.blocks) ++users_[static_cast<size_t>(block)];
    next.push_back(std::move(kept));
  }
  for (const Kept& kept : kept_) release(kept.blocks);
  kept_ = std::move(next);
}

int32_t Translator::take_block() {
  const auto free = std::ranges::find(users_, 0);
  CHECK(free != users_.end());
  *free = 1;
  return static_cast<int32_t>(free - users_.begin());
}

void Translator::release(const std::vector<int32_t>& blocks) {
  for (const int32_t block : blocks) --users_[static_cast<size_t>(block)];
}

}  // namespace cleave::inference
