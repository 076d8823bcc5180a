#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"
#include "engine/logprobs.h"
#include "engine/random.h"

namespace cleave::engine {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();
constexpr uint32_t kWordBits = 32;

int32_t largest(std::span<const float> logits) {
  const int32_t best = find_largest(logits);
  if (best < 0)
    fail(ErrorKind::Corrupt,
         "the model computed {} logits of which none is a number; its weights or its configuration are damaged",
         logits.size());
  return best;
}

void require(bool holds, const std::string& name, double value, const char* wanted) {
  if (!holds) fail(ErrorKind::InvalidArgument, "{} is {}, wanted {}", name, value, wanted);
}

void check_id(int32_t id, int64_t vocab_size, const char* what) {
  if (id < 0 || id >= vocab_size)
    fail(ErrorKind::InvalidArgument, "{} has id {}, outside the model's vocabulary of {}", what, id, vocab_size);
}

// The logits' own order, so that candidates can be sorted before they have weights.
bool more_probable(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

double total_weight(std::span<const Candidate> candidates) {
  double total = 0;
  for (const Candidate& candidate : candidates) total += candidate.weight;
  return total;
}

// Of the original logit, so that a token that occurs twice is penalised once.
void penalise_repeats(std::span<const float> logits, std::span<const int32_t> tokens, double repeat_penalty,
                      std::span<float> changed) {
  const auto penalty = static_cast<float>(repeat_penalty);
  for (const int32_t token : tokens) {
    const auto id = static_cast<size_t>(token);
    changed[id] = logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty;
  }
}

// Forbids the tokens whose bit is not set.
void apply_mask(std::span<const uint32_t> allowed, std::span<float> logits) {
  for (size_t i = 0; i < logits.size(); ++i)
    if ((allowed[i / kWordBits] >> i % kWordBits & 1) == 0) logits[i] = kForbidden;
}

}  // namespace

void check(const SamplingParams& params) {
  // Written so that NaN fails.
  require(params.repeat_penalty > 0 && std::isfinite(params.repeat_penalty), "repeat penalty", params.repeat_penalty,
          "a number above 0 (1 changes nothing)");
  require(std::isfinite(params.frequency_penalty), "frequency penalty", params.frequency_penalty, "a number");
  require(std::isfinite(params.presence_penalty), "presence penalty", params.presence_penalty, "a number");
  for (const auto& [id, bias] : params.logit_bias)
    require(std::isfinite(bias), "logit bias of token " + std::to_string(id), bias, "a number");
  if (params.rules != nullptr) check(*params.rules);
  require(params.temperature >= 0 && std::isfinite(params.temperature), "temperature", params.temperature,
          "0 (the most probable token) or more");
  require(params.top_k >= 0, "top k", static_cast<double>(params.top_k), "0 (all tokens) or more");
  require(params.top_p > 0 && params.top_p <= 1, "top p", params.top_p, "more than 0 and at most 1 (all tokens)");
  require(params.min_p >= 0 && params.min_p <= 1, "min p", params.min_p, "0 (all tokens) to 1");
}

void check_ids(const SamplingParams& params, int64_t vocab_size) {
  for (const auto& [id, bias] : params.logit_bias) check_id(id, vocab_size, "a token with a logit bias");
  for (const int32_t id : params.allowed) check_id(id, vocab_size, "an allowed token");
  if (params.rules != nullptr) check_ids(*params.rules, vocab_size);
}

Sampler::Sampler(const SamplingParams& params) : params_(params) {
  check(params);
}

int32_t Sampler::sample(std::span<const float> logits, const History& history, SamplingScratch& scratch) const {
  if (changes_logits(history)) logits = change(logits, history, scratch);
  if (params_.temperature == 0) return largest(logits);
  std::vector<Candidate>& candidates = scratch.candidates;
  collect(logits, candidates);
  keep_top_p(candidates);
  if (params_.min_p > 0) std::erase_if(candidates, [&](const Candidate& c) { return c.weight < params_.min_p; });
  return draw(candidates, history.tokens.size());
}

bool Sampler::changes_logits(const History& history) const {
  return params_.repeat_penalty != 1 || params_.frequency_penalty != 0 || params_.presence_penalty != 0 ||
         !params_.logit_bias.empty() || params_.rules != nullptr || !params_.allowed.empty() ||
         !history.allowed.empty();
}

std::span<const float> Sampler::change(std::span<const float> logits, const History& history,
                                       SamplingScratch& scratch) const {
  std::vector<float>& changed = scratch.changed;
  changed.assign(logits.begin(), logits.end());
  if (params_.repeat_penalty != 1) penalise_repeats(logits, history.tokens, params_.repeat_penalty, changed);
  punish(history.tokens.subspan(std::min(history.tokens.size(), static_cast<size_t>(history.prompt_length))), scratch);
  for (const auto& [id, bias] : params_.logit_bias) changed[static_cast<size_t>(id)] += bias;
  if (params_.rules != nullptr) params_.rules->apply(changed, history);
  forbid(history, scratch);
  if (find_largest(changed) < 0 && find_largest(logits) >= 0)
    fail(ErrorKind::InvalidArgument,
         "the rules for the answer forbid all of {} tokens; loosen what forbids them (no-repeat n-grams, bad words, "
         "suppressed or allowed tokens, a grammar)",
         logits.size());
  return changed;
}

// Frequency and presence penalty. Every token's share is subtracted at once, so that the order does not count.
void Sampler::punish(std::span<const int32_t> answer, SamplingScratch& scratch) const {
  if (params_.frequency_penalty == 0 && params_.presence_penalty == 0) return;
  scratch.counts.resize(scratch.changed.size());
  for (const int32_t token : answer) ++scratch.counts[static_cast<size_t>(token)];
  for (const int32_t token : answer) {
    const auto id = static_cast<size_t>(token);
    const int32_t count = std::exchange(scratch.counts[id], 0);
    if (count > 0)
      scratch.changed[id] -= static_cast<float>(params_.frequency_penalty * count + params_.presence_penalty);
  }
}

void Sampler::forbid(const History& history, SamplingScratch& scratch) const {
  if (!history.allowed.empty()) apply_mask(history.allowed, scratch.changed);
  if (params_.allowed.empty()) return;
  scratch.allowed.assign((scratch.changed.size() + kWordBits - 1) / kWordBits, 0);
  for (const int32_t token : params_.allowed) {
    const auto id = static_cast<uint32_t>(token);
    scratch.allowed[id / kWordBits] |= 1u << id % kWordBits;
  }
  apply_mask(scratch.allowed, scratch.changed);
}

// The most probable tokens, as many as top_k wants, with their weights.
void Sampler::collect(std::span<const float> logits, std::vector<Candidate>& candidates) const {
  const float top = logits[static_cast<size_t>(largest(logits))];
  candidates.clear();
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] > kForbidden) candidates.push_back({0, logits[i], static_cast<int32_t>(i)});
  keep_top_k(candidates);
  // Differences first, so that neither a tiny temperature nor large logits overflow.
  for (Candidate& c : candidates)
    c.weight = c.logit == top ? 1.0 : std::exp((double{c.logit} - double{top}) / params_.temperature);
}

void Sampler::keep_top_k(std::vector<Candidate>& candidates) const {
  const auto k = static_cast<size_t>(params_.top_k);
  if (k == 0 || k >= candidates.size()) return;
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(k), candidates.end(),
                    more_probable);
  candidates.resize(k);
}

void Sampler::keep_top_p(std::vector<Candidate>& candidates) const {
  if (params_.top_p >= 1) return;
  const double wanted = params_.top_p * total_weight(candidates);
  // A few tokens hold nearly all probability, so the list is sorted piece by piece until enough is gathered.
  double gathered = 0;
  size_t kept = 0;
  for (size_t sorted = 0; kept < candidates.size() && gathered < wanted; ++kept) {
    if (kept == sorted) {
      sorted = std::min(candidates.size(), sorted * 8 + 64);
      std::partial_sort(candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                        candidates.begin() + static_cast<std::ptrdiff_t>(sorted), candidates.end(), more_probable);
    }
    gathered += candidates[kept].weight;
  }
  candidates.resize(kept);
}

int32_t Sampler::draw(std::span<const Candidate> candidates, uint64_t position) const {
  double left = uniform(params_.seed, params_.index, position) * total_weight(candidates);
  for (const Candidate& candidate : candidates) {
    left -= candidate.weight;
    if (left < 0) return candidate.id;
  }
  return candidates.back().id;  // rounding alone leads here
}

}  // namespace cleave::engine
