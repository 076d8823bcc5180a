#include "engine/logit_rules.h"

#include <algorithm>

#include "base/error.h"

namespace cleave::engine {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

void forbid(std::span<float> logits, int32_t id) {
  if (id >= 0 && static_cast<size_t>(id) < logits.size()) logits[static_cast<size_t>(id)] = kForbidden;
}

void forbid(std::span<float> logits, std::span<const int32_t> ids) {
  for (const int32_t id : ids) forbid(logits, id);
}

void force(std::span<float> logits, std::span<const int32_t> ids) {
  std::ranges::fill(logits, kForbidden);
  for (const int32_t id : ids) logits[static_cast<size_t>(id)] = 0;
}

// Whatever followed the last size - 1 tokens before must not follow them again.
void forbid_repeated(std::span<float> logits, std::span<const int32_t> tokens, int64_t size) {
  const auto length = static_cast<size_t>(size);
  if (tokens.size() < length) return;
  const std::span<const int32_t> suffix = tokens.last(length - 1);
  for (size_t i = 0; i + length <= tokens.size(); ++i)
    if (std::ranges::equal(tokens.subspan(i, length - 1), suffix)) forbid(logits, tokens[i + length - 1]);
}

void forbid_words(std::span<float> logits, const std::vector<std::vector<int32_t>>& words, const History& history) {
  for (const std::vector<int32_t>& word : words) {
    const auto before = std::span(word).first(word.size() - 1);
    const bool is_end = before.empty() && std::ranges::find(history.end_tokens, word[0]) != history.end_tokens.end();
    if (is_end || before.size() > history.tokens.size()) continue;
    if (std::ranges::equal(history.tokens.last(before.size()), before)) forbid(logits, word.back());
  }
}

void check_id(int32_t id, int64_t vocab_size, const char* what) {
  if (id < 0 || id >= vocab_size)
    fail(ErrorKind::InvalidArgument, "{} has id {}, outside the model's vocabulary of {}", what, id, vocab_size);
}

}  // namespace

bool LogitRules::any() const {
  return no_repeat_ngram > 0 || !bad_words.empty() || min_length > 0 || min_new_tokens > 0 || forced_first ||
         !forced_last.empty() || !suppress.empty() || !begin_suppress.empty();
}

void LogitRules::apply(std::span<float> logits, const History& history) const {
  const auto length = static_cast<int64_t>(history.tokens.size());
  if (no_repeat_ngram > 0) forbid_repeated(logits, history.tokens, no_repeat_ngram);
  forbid_words(logits, bad_words, history);
  if (length < min_length || length - history.prompt_length < min_new_tokens) forbid(logits, history.end_tokens);
  if (forced_first && length == 1) force(logits, std::span(&*forced_first, 1));
  if (!forced_last.empty() && length == history.length_limit - 1) force(logits, forced_last);
  forbid(logits, suppress);
  // Behind a prompt of one token the forced one comes first.
  const int64_t begin = history.prompt_length + (history.prompt_length <= 1 && forced_first ? 1 : 0);
  if (length == begin) forbid(logits, begin_suppress);
}

void check(const LogitRules& rules) {
  const auto not_negative = [](const char* name, int64_t value) {
    if (value < 0) fail(ErrorKind::InvalidArgument, "{} is {}, wanted 0 or more", name, value);
  };
  not_negative("no-repeat n-gram size", rules.no_repeat_ngram);
  not_negative("minimum length", rules.min_length);
  not_negative("minimum of new tokens", rules.min_new_tokens);
  for (const std::vector<int32_t>& word : rules.bad_words)
    if (word.empty()) fail(ErrorKind::InvalidArgument, "a bad word has no tokens, wanted at least one");
}

void check_ids(const LogitRules& rules, int64_t vocab_size) {
  for (const std::vector<int32_t>& word : rules.bad_words)
    for (const int32_t id : word) check_id(id, vocab_size, "a token of a bad word");
  if (rules.forced_first) check_id(*rules.forced_first, vocab_size, "the forced first token");
  for (const int32_t id : rules.forced_last) check_id(id, vocab_size, "a forced last token");
}

}  // namespace cleave::engine
