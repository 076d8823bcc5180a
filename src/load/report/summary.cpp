#include "load/report/summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cleave::load {
namespace {

double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

bool keeps_to(const ServiceLimits& limits, const Result& result) {
  if (!result.good()) return false;
  if (limits.first && (!result.first || *result.first - result.begin > *limits.first)) return false;
  const std::optional<double> gap = seconds_per_token(result);
  return !limits.gap || !gap || *gap <= *limits.gap;
}

/// A change of the number of requests under way.
struct Change {
  double time;
  int64_t by;
};

// Ends come before beginnings of the same time, so that one that takes another's place makes no peak.
std::vector<Change> changes_of(std::span<const Result> results) {
  std::vector<Change> changes;
  for (const Result& result : results) {
    changes.push_back({result.sent, 1});
    changes.push_back({result.end, -1});
  }
  std::ranges::sort(
      changes, [](const Change& a, const Change& b) { return a.time < b.time || (a.time == b.time && a.by < b.by); });
  return changes;
}

/// From when until when as many requests were under way as at most: from the first to the last moment of it.
struct Peak {
  int64_t open = 0;
  double begin = 0, end = 0;
};

Peak peak_of(std::span<const Result> results) {
  Peak peak;
  int64_t open = 0;
  for (const Change& change : changes_of(results)) {
    if (open == peak.open) peak.end = change.time;
    open += change.by;
    if (open > peak.open) peak = {open, change.time, change.time};
  }
  return peak;
}

// Tokens of an answer are taken to come with its pieces, each with as many.
double tokens_between(const Result& result, double begin, double end) {
  if (!result.first) return 0;
  const double share = static_cast<double>(result.answer_tokens) / static_cast<double>(result.gaps.size() + 1);
  double time = *result.first, tokens = 0;
  const auto add = [&] { tokens += time >= begin && time < end ? share : 0; };
  add();
  for (const float gap : result.gaps) {
    time += static_cast<double>(gap);
    add();
  }
  return tokens;
}

void note_tokens(std::span<const Result> results, Summary& summary) {
  for (const Result& result : results) {
    if (!result.good()) continue;
    summary.prompt_tokens += result.prompt_tokens;
    summary.cached_tokens += result.cached_tokens;
    summary.answer_tokens += result.answer_tokens;
    summary.counted = summary.counted && result.counted;
  }
}

void note_full_rate(std::span<const Result> results, const Peak& peak, Summary& summary) {
  const double seconds = peak.end - peak.begin;
  if (seconds <= 0) return;
  double tokens = 0;
  for (const Result& result : results) tokens += tokens_between(result, peak.begin, peak.end);
  summary.full_seconds = seconds;
  summary.full_rate = tokens / seconds;
}

void note_rates(std::span<const Result> results, Loop loop, Summary& summary) {
  const double begin = std::ranges::min(results, {}, &Result::begin).begin;
  const double end = std::ranges::max(results, {}, &Result::end).end;
  summary.seconds = end - begin;
  const Peak peak = peak_of(results);
  summary.most_open = peak.open;
  if (loop == Loop::Closed) note_full_rate(results, peak, summary);
  if (summary.seconds <= 0) return;
  summary.request_rate = static_cast<double>(summary.done) / summary.seconds;
  summary.prompt_rate = static_cast<double>(summary.prompt_tokens) / summary.seconds;
  summary.answer_rate = static_cast<double>(summary.answer_tokens) / summary.seconds;
}

void note_times(std::span<const Result> results, Summary& summary) {
  std::vector<double> first, gaps, per_token, whole;
  std::map<int64_t, std::vector<double>> by_turn;
  for (const Result& result : results) {
    if (!result.good()) continue;
    whole.push_back(result.end - result.begin);
    gaps.insert(gaps.end(), result.gaps.begin(), result.gaps.end());
    if (const auto time = seconds_per_token(result)) per_token.push_back(*time);
    if (!result.first) continue;
    first.push_back(*result.first - result.begin);
    by_turn[result.turn].push_back(first.back());
  }
  summary.first = distribution_of(std::move(first));
  summary.gap = distribution_of(std::move(gaps));
  summary.per_token = distribution_of(std::move(per_token));
  summary.whole = distribution_of(std::move(whole));
  if (by_turn.size() < 2) return;
  for (auto& [turn, values] : by_turn) summary.first_by_turn[turn] = distribution_of(std::move(values));
}

}  // namespace

Distribution distribution_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::ranges::sort(values);
  return {.count = static_cast<int64_t>(values.size()),
          .mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()),
          .p50 = percentile(values, 0.5),
          .p90 = percentile(values, 0.9),
          .p95 = percentile(values, 0.95),
          .p99 = percentile(values, 0.99),
          .max = values.back()};
}

std::optional<double> seconds_per_token(const Result& result) {
  if (!result.first || result.answer_tokens < 2) return std::nullopt;
  const double seconds = std::accumulate(result.gaps.begin(), result.gaps.end(), 0.0);
  return seconds / static_cast<double>(result.answer_tokens - 1);
}

Summary summarize(std::span<const Result> results, Loop loop, const ServiceLimits& limits, double cpu_seconds) {
  Summary summary{.limits = limits, .cpu_seconds = cpu_seconds};
  for (const Result& result : results) {
    summary.within_limits += keeps_to(limits, result);
    if (result.good()) {
      ++summary.done;
    } else if (result.outcome == kUnderWay) {
      ++summary.cut;
    } else {
      ++summary.failed;
      ++summary.failures[result.outcome];
      summary.examples.emplace(result.outcome, result.problem);
    }
  }
  if (results.empty()) return summary;
  note_tokens(results, summary);
  note_rates(results, loop, summary);
  note_times(results, summary);
  return summary;
}

}  // namespace cleave::load
