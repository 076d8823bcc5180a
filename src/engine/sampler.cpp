#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"
#include "engine/logprobs.h"
#include "engine/lowering.h"
#include "engine/random.h"

namespace cleave::engine {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();
constexpr uint32_t kWordBits = 32;

// Logits that are asked for beyond those that a choice needs, where some may be lowered.
constexpr int32_t kSpare = 64;
// Logits that are asked for where it depends on the row how many a choice needs.
constexpr int32_t kNucleus = 256;

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
  for (const int32_t token : tokens) {
    const auto id = static_cast<size_t>(token);
    changed[id] = penalised(logits[id], repeat_penalty);
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
  if (params_.top_p < 1) keep_top_p(candidates, total_weight(candidates));
  if (params_.min_p > 0) std::erase_if(candidates, [&](const Candidate& c) { return c.weight < params_.min_p; });
  return draw(candidates, history.tokens.size());
}

runtime::LogitsWish Sampler::wish(bool is_masked) const {
  if (raises_logits()) return {};
  const bool changes = is_masked || changes_logits({});
  const int32_t spare = changes ? kSpare : 0;
  if (params_.temperature == 0) return {.top = 1 + spare};
  if (params_.top_k > runtime::kMostTop - spare) return {};
  if (params_.top_k > 0) return {.top = static_cast<int32_t>(params_.top_k) + spare};
  const auto scale = static_cast<float>(1 / params_.temperature);
  if (params_.top_p < 1)
    return changes || !std::isfinite(scale) ? runtime::LogitsWish{} : runtime::LogitsWish{kNucleus, scale};
  return {.top = params_.min_p > 0 ? kNucleus : 0};
}

// Whether a token's logit may become larger than that of one that precedes it.
bool Sampler::raises_logits() const {
  return params_.repeat_penalty < 1 || params_.frequency_penalty < 0 || params_.presence_penalty < 0 ||
         params_.rules != nullptr ||
         std::ranges::any_of(params_.logit_bias, [](const auto& b) { return b.second > 0; });
}

// Logits that are not told are no larger than the last one that is, and come behind it where they are equal; changes
// only lower them. So a changed logit that is larger than the last one told is larger than all that are not.
std::optional<int32_t> Sampler::choose(const runtime::RowLogits& row, const History& history,
                                       SamplingScratch& scratch) const {
  std::vector<Candidate>& candidates = scratch.candidates;
  candidates.clear();
  for (const kernels::Ranked& entry : row.top) candidates.push_back({0, entry.value, entry.index});
  const bool changed = changes_logits(history);
  if (changed) {
    lower(params_, history, scratch);
    const float bound = row.is_complete ? kForbidden : row.top.back().value;
    std::erase_if(candidates, [bound](const Candidate& c) { return c.logit <= bound; });
    std::ranges::sort(candidates, more_probable);
  }
  if (candidates.empty()) return std::nullopt;
  if (params_.temperature == 0) return candidates.front().id;
  if (!keep_told(row, changed, candidates)) return std::nullopt;
  return draw(candidates, history.tokens.size());
}

// Keeps those of the candidates, which begin with the most probable ones, that the rules leave. Gives false where what
// is not told might be among them.
bool Sampler::keep_told(const runtime::RowLogits& row, bool changed, std::vector<Candidate>& candidates) const {
  const auto k = static_cast<size_t>(params_.top_k);
  const bool is_cut = k > 0 && (!row.is_complete || k < candidates.size());
  if (is_cut && candidates.size() < k) return false;
  if (is_cut) candidates.resize(k);
  const bool is_closed = row.is_complete || is_cut;  // what is not told does not count
  const float top = candidates.front().logit;
  for (Candidate& c : candidates) c.weight = weight_of(c.logit, top);
  if (params_.top_p < 1) {
    if (changed && !is_closed) return false;
    if (!keep_top_p(candidates, is_closed ? total_weight(candidates) : row.sum) && !is_closed) return false;
  } else if (!is_closed && !(weight_of(row.top.back().value, top) < params_.min_p)) {
    return false;
  }
  std::erase_if(candidates, [&](const Candidate& c) { return c.weight < params_.min_p; });
  if (params_.top_p >= 1 && !is_cut) std::ranges::sort(candidates, {}, &Candidate::id);  // as sample() draws of all
  return true;
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
  punish(history.answer(), scratch);
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
    if (count > 0) scratch.changed[id] -= punishment(params_, count);
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
  for (Candidate& c : candidates) c.weight = weight_of(c.logit, top);
}

// Differences first, so that neither a tiny temperature nor large logits overflow.
double Sampler::weight_of(float logit, float top) const {
  return logit == top ? 1.0 : std::exp((double{logit} - double{top}) / params_.temperature);
}

void Sampler::keep_top_k(std::vector<Candidate>& candidates) const {
  const auto k = static_cast<size_t>(params_.top_k);
  if (k == 0 || k >= candidates.size()) return;
  std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(k), candidates.end(),
                    more_probable);
  candidates.resize(k);
}

// Gives false where all of them have not the share of `total` that is wanted.
bool Sampler::keep_top_p(std::vector<Candidate>& candidates, double total) const {
  const double wanted = params_.top_p * total;
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
  return gathered >= wanted;
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
