#include "engine/logprobs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace cleave::engine {
namespace {

constexpr float kNone = -std::numeric_limits<float>::infinity();

// In lanes, so that the compiler makes vector instructions of it. NaN compares false, so it is passed over.
float largest_of(std::span<const float> logits) {
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> best;
  best.fill(kNone);
  size_t i = 0;
  for (; i + kLanes <= logits.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane)
      best[lane] = logits[i + lane] > best[lane] ? logits[i + lane] : best[lane];
  for (; i < logits.size(); ++i) best[0] = logits[i] > best[0] ? logits[i] : best[0];
  return *std::ranges::max_element(best);
}

}  // namespace

int32_t find_largest(std::span<const float> logits) {
  const float largest = largest_of(logits);
  if (largest == kNone) return -1;
  return static_cast<int32_t>(std::ranges::find(logits, largest) - logits.begin());
}

LogSoftmax::LogSoftmax(std::span<const float> logits) : logits_(logits), largest_(largest_of(logits)) {
  double sum = 0;
  const auto largest = static_cast<float>(largest_);
  for (const float logit : logits)
    if (logit > kNone) sum += std::exp(logit - largest);
  log_sum_ = std::log(sum);
}

double LogSoftmax::of(int32_t token) const {
  const float logit = logits_[static_cast<size_t>(token)];
  return logit > kNone ? double{logit - static_cast<float>(largest_)} - log_sum_ : double{kNone};
}

std::vector<TokenLogprob> LogSoftmax::top(int count) const {
  std::vector<TokenLogprob> best;  // sorted; logits in place of logarithms until the end
  best.reserve(static_cast<size_t>(count) + 1);
  for (size_t i = 0; i < logits_.size() && count > 0; ++i) {
    const float logit = std::isnan(logits_[i]) ? kNone : logits_[i];
    const bool full = best.size() == static_cast<size_t>(count);
    if (full && logit <= best.back().logprob) continue;
    const auto place = std::ranges::find_if(best, [&](const TokenLogprob& other) { return logit > other.logprob; });
    best.insert(place, {static_cast<int32_t>(i), logit});
    if (full) best.pop_back();
  }
  for (TokenLogprob& entry : best) entry.logprob = static_cast<float>(of(entry.token));
  return best;
}

TokenLogprobs token_logprobs(std::span<const float> logits, int32_t token, int count) {
  const LogSoftmax softmax(logits);
  return {static_cast<float>(softmax.of(token)), softmax.top(count)};
}

TokenLogprobs token_logprobs(const runtime::RowLogits& row, int32_t token, int count) {
  const double log_sum = std::log(row.sum);
  const auto logprob = [&](const kernels::Ranked& entry) {
    return static_cast<float>(double{entry.value - row.top[0].value} - log_sum);
  };
  TokenLogprobs result{logprob(*std::ranges::find(row.top, token, &kernels::Ranked::index)), {}};
  for (const kernels::Ranked& entry : row.top.first(static_cast<size_t>(count)))
    result.top.push_back({entry.index, logprob(entry)});
  return result;
}

}  // namespace cleave::engine
