#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace cleave::engine {
namespace {

// Of equal logits the first counts. NaN compares false, so it is passed over. -1 where no logit is a number.
int32_t find_largest(std::span<const float> logits) {
  int32_t best = -1;
  float best_logit = -std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] > best_logit) {
      best = static_cast<int32_t>(i);
      best_logit = logits[i];
    }
  return best;
}

int32_t largest(std::span<const float> logits) {
  const int32_t best = find_largest(logits);
  if (best < 0)
    fail(ErrorKind::Corrupt,
         "the model computed {} logits of which none is a number; its weights or its configuration are damaged",
         logits.size());
  return best;
}

void require(bool holds, const char* name, double value, const char* wanted) {
  if (!holds) fail(ErrorKind::InvalidArgument, "{} is {}, wanted {}", name, value, wanted);
}

}  // namespace

void check(const SamplingParams& params) {
  // Written so that NaN fails.
  require(params.repeat_penalty > 0 && std::isfinite(params.repeat_penalty), "repeat penalty", params.repeat_penalty,
          "a number above 0 (1 changes nothing)");
  if (params.rules != nullptr) check(*params.rules);
  require(params.temperature >= 0 && std::isfinite(params.temperature), "temperature", params.temperature,
          "0 (the most probable token) or more");
  require(params.top_k >= 0, "top k", static_cast<double>(params.top_k), "0 (all tokens) or more");
  require(params.top_p > 0 && params.top_p <= 1, "top p", params.top_p, "more than 0 and at most 1 (all tokens)");
  require(params.min_p >= 0 && params.min_p <= 1, "min p", params.min_p, "0 (all tokens) to 1");
}

Sampler::Sampler(const SamplingParams& params) : params_(params), random_(params.seed) {
  check(params);
}

bool Sampler::more_probable(const Candidate& a, const Candidate& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

int32_t Sampler::sample(std::span<const float> logits, const History& history) {
  if (params_.repeat_penalty != 1 || params_.rules != nullptr) logits = change(logits, history);
  if (params_.temperature == 0) return largest(logits);
  collect(logits);
  keep_top_k();
  keep_top_p();
  keep_min_p();
  return draw();
}

std::span<const float> Sampler::change(std::span<const float> logits, const History& history) {
  changed_.assign(logits.begin(), logits.end());
  const auto penalty = static_cast<float>(params_.repeat_penalty);
  // From the original logit, so that a token that occurs twice is penalised once.
  for (const int32_t id : history.tokens) {
    const float logit = logits[static_cast<size_t>(id)];
    changed_[static_cast<size_t>(id)] = logit > 0 ? logit / penalty : logit * penalty;
  }
  if (params_.rules != nullptr) params_.rules->apply(changed_, history);
  if (find_largest(changed_) < 0 && find_largest(logits) >= 0)
    fail(ErrorKind::InvalidArgument,
         "the rules for the answer forbid all of {} tokens; loosen what forbids them (no-repeat n-grams, bad words, "
         "suppressed tokens)",
         logits.size());
  return changed_;
}

void Sampler::collect(std::span<const float> logits) {
  const float top = logits[static_cast<size_t>(largest(logits))];
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    const float logit = logits[i];
    if (!(logit > -std::numeric_limits<float>::infinity())) continue;
    // Differences first, so that neither a tiny temperature nor large logits overflow.
    const double weight = logit == top ? 1.0 : std::exp((double{logit} - double{top}) / params_.temperature);
    candidates_.push_back({weight, logit, static_cast<int32_t>(i)});
  }
}

void Sampler::keep_top_k() {
  const auto k = static_cast<size_t>(params_.top_k);
  if (k == 0 || k >= candidates_.size()) return;
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(k), candidates_.end(),
                    more_probable);
  candidates_.resize(k);
}

void Sampler::keep_top_p() {
  if (params_.top_p >= 1) return;
  const double wanted = params_.top_p * total_weight();
  // A few tokens hold nearly all probability, so the list is sorted piece by piece until enough is gathered.
  double gathered = 0;
  size_t kept = 0;
  for (size_t sorted = 0; kept < candidates_.size() && gathered < wanted; ++kept) {
    if (kept == sorted) {
      sorted = std::min(candidates_.size(), sorted * 8 + 64);
      std::partial_sort(candidates_.begin() + static_cast<std::ptrdiff_t>(kept),
                        candidates_.begin() + static_cast<std::ptrdiff_t>(sorted), candidates_.end(), more_probable);
    }
    gathered += candidates_[kept].weight;
  }
  candidates_.resize(kept);
}

void Sampler::keep_min_p() {
  if (params_.min_p > 0) std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < params_.min_p; });
}

double Sampler::total_weight() const {
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  return total;
}

int32_t Sampler::draw() {
  const double uniform = static_cast<double>(random_() >> 11) * 0x1p-53;  // [0, 1), every value of 53 bits alike
  double left = uniform * total_weight();
  for (const Candidate& candidate : candidates_) {
    left -= candidate.weight;
    if (left < 0) return candidate.id;
  }
  return candidates_.back().id;  // rounding alone leads here
}

}  // namespace cleave::engine
