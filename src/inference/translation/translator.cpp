#include "inference/translation/translator.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/error.h"

namespace cleave::inference {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr int64_t kDefaultLength = 257;  // tokens of a text, the start token included

int64_t blocks_for(int64_t tokens) {
  return (tokens + runtime::kKvBlockSize - 1) / runtime::kKvBlockSize;
}

// A setting that generation_config.json has, or else config.json; null where neither does.
Json setting(const OpenedModel& opened, const Json& settings, const char* key) {
  for (const Json* config : {&settings, &opened.config})
    if (const auto found = config->find(key); found != config->end() && !found->is_null()) return *found;
  return nullptr;
}

template <class Number>
std::optional<Number> number(const Json& value, const char* key) {
  if (value.is_null()) return std::nullopt;
  if (!value.is_number()) fail(ErrorKind::Corrupt, "{} is {}, wanted a number", key, value.dump());
  return value.get<Number>();
}

BeamSettings::Stopping stopping(const Json& value) {
  using Stopping = BeamSettings::Stopping;
  if (value.is_null() || value == false) return Stopping::Heuristic;
  if (value == true) return Stopping::AtOnce;
  if (value == "never") return Stopping::Never;
  fail(ErrorKind::Corrupt, "early_stopping is {}, wanted true, false or \"never\"", value.dump());
}

std::vector<int32_t> tokens(const Json& value, const char* key) {
  std::vector<int32_t> all;
  for (const Json& token : value.is_array() ? value : Json::array({value}))
    if (const auto id = number<int32_t>(token, key)) all.push_back(*id);
  return all;
}

// Tokens that would repeat a run of n that the text has already.
void forbid_repeats(const std::vector<int32_t>& text, int64_t n, std::span<float> scores) {
  const auto length = static_cast<int64_t>(text.size());
  for (int64_t begin = 0; n > 0 && begin + n <= length; ++begin)
    if (std::equal(text.begin() + begin, text.begin() + begin + n - 1, text.end() - (n - 1)))
      scores[static_cast<size_t>(text[static_cast<size_t>(begin + n - 1)])] = kNever;
}

void force(int32_t token, std::span<float> scores) {
  if (token < 0 || static_cast<size_t>(token) >= scores.size())
    fail(ErrorKind::InvalidArgument, "token {} is forced, where there are {}", token, scores.size());
  std::ranges::fill(scores, kNever);
  scores[static_cast<size_t>(token)] = 0;
}

// What the settings say of the next token of a text, which has begun with the start token.
void apply_rules(const TranslationSettings& s, std::vector<int32_t> text, std::span<float> scores) {
  const auto written = static_cast<int64_t>(text.size());
  text.insert(text.begin(), s.start);
  forbid_repeats(text, s.no_repeat_ngram, scores);
  if (written < s.min_new_tokens)
    for (const int32_t end : s.search.end_tokens) scores[static_cast<size_t>(end)] = kNever;
  if (s.forced_first && written == 0) force(*s.forced_first, scores);
  if (s.forced_last && written + 1 == s.search.max_new_tokens) force(*s.forced_last, scores);
}

}  // namespace

TranslationSettings translation_settings(const OpenedModel& opened, const Json& settings,
                                         std::optional<int64_t> max_new_tokens) {
  const auto get = [&](const char* key) { return setting(opened, settings, key); };
  const auto id = [&](const char* key) { return number<int32_t>(get(key), key); };
  const auto count = [&](const char* key, int64_t otherwise) {
    return number<int64_t>(get(key), key).value_or(otherwise);
  };
  const std::optional<int32_t> start = id("decoder_start_token_id") ? id("decoder_start_token_id") : id("bos_token_id");
  if (!start) fail(ErrorKind::Unsupported, "no file tells the token that texts begin with (decoder_start_token_id)");
  if (get("do_sample") == true || count("num_beam_groups", 1) != 1)
    fail(ErrorKind::Unsupported, "do_sample and num_beam_groups: of searches only greedy and beam search are known");
  TranslationSettings result;
  result.start = *start;
  result.search.beams = std::max<int64_t>(1, count("num_beams", 1));
  result.search.length_penalty = number<double>(get("length_penalty"), "length_penalty").value_or(1);
  result.search.stopping = stopping(get("early_stopping"));
  result.search.end_tokens = tokens(get("eos_token_id"), "eos_token_id");
  const int64_t by_length = count("max_length", kDefaultLength) - 1;
  result.search.max_new_tokens = std::max<int64_t>(1, max_new_tokens.value_or(count("max_new_tokens", by_length)));
  result.forced_first = id("forced_bos_token_id");
  result.forced_last = id("forced_eos_token_id");
  result.min_new_tokens = std::max(count("min_new_tokens", 0), count("min_length", 0) - 1);
  result.no_repeat_ngram = count("no_repeat_ngram_size", 0);
  return result;
}

runtime::Sizes translation_sizes(int64_t source, const TranslationSettings& settings) {
  runtime::Sizes sizes;
  const int64_t beams = settings.search.beams;
  sizes.max_tokens = std::max({source, beams * runtime::kKvBlockSize, int64_t{1}});
  sizes.max_output_rows = beams;
  // While beams change, old and new blocks are there.
  const int64_t blocks = blocks_for(source) + 2 * beams * (blocks_for(settings.search.max_new_tokens + 1) + 1);
  sizes.kv_tokens = blocks * runtime::kKvBlockSize;
  return sizes;
}

Translator::Translator(const OpenedModel& opened, runtime::SplitModel& model)
    : model_(model), encode_program_(opened.encode_program()), users_(static_cast<size_t>(model.num_blocks()), 0) {}

std::vector<Hypothesis> Translator::translate(std::span<const int32_t> source, const TranslationSettings& settings) {
  std::ranges::fill(users_, 0);
  encode(source);
  kept_.assign(1, {});
  BeamSearch search(settings.search);
  while (!search.done()) {
    std::vector<float> logits = step(search.running(), settings.start);
    const size_t vocabulary = logits.size() / search.running().size();
    for (size_t i = 0; i < search.running().size(); ++i) {
      const std::span<float> scores = std::span(logits).subspan(i * vocabulary, vocabulary);
      log_softmax(scores);
      apply_rules(settings, search.running()[i].tokens, scores);
    }
    search.advance(logits);
    if (!search.done()) follow(search.running());
  }
  return search.results(settings.returned);
}

void Translator::encode(std::span<const int32_t> source) {
  source_length_ = static_cast<int64_t>(source.size());
  if (source.empty() || source_length_ > model_.options().sizes.max_tokens)
    fail(ErrorKind::InvalidArgument, "a text of {} tokens, wanted 1 to {}", source_length_,
         model_.options().sizes.max_tokens);
  source_blocks_.clear();
  for (int64_t i = 0; i < blocks_for(source_length_); ++i) source_blocks_.push_back(take_block());
  const runtime::SequenceStep sequence{source_length_, 0, source_length_, source_blocks_, 0};
  model_.step({source, {&sequence, 1}, {}}, encode_program_);
}

// The logits of each running text's next token. What is not in the cache yet is computed.
std::vector<float> Translator::step(const std::vector<BeamSearch::Beam>& beams, int32_t start) {
  std::vector<int32_t> tokens, rows;
  std::vector<runtime::SequenceStep> sequences;
  for (size_t i = 0; i < beams.size(); ++i) {
    Kept& kept = kept_[i];
    const auto length = static_cast<int64_t>(beams[i].tokens.size()) + 1;
    while (static_cast<int64_t>(kept.blocks.size()) < blocks_for(length)) kept.blocks.push_back(take_block());
    for (int64_t t = kept.cached; t < length; ++t)
      tokens.push_back(t == 0 ? start : beams[i].tokens[static_cast<size_t>(t - 1)]);
    rows.push_back(static_cast<int32_t>(tokens.size()) - 1);
    sequences.push_back({length - kept.cached, kept.cached, length, kept.blocks, static_cast<int64_t>(i)});
    sequences.back().source_blocks = source_blocks_;
    sequences.back().source_length = source_length_;
    kept.cached = length;
  }
  const std::span<const float> logits = model_.step({tokens, sequences, rows}).logits;
  return {logits.begin(), logits.end()};
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
