#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "load/report/result.h"

namespace cleave::load {

/// A distribution in a few numbers. A percentile is the smallest value that so many per cent of all do not exceed.
struct Distribution {
  int64_t count = 0;
  double mean = 0, p50 = 0, p90 = 0, p95 = 0, p99 = 0, max = 0;
};
Distribution distribution_of(std::vector<double> values);

/// What decides when requests are made: the end of others, or time alone.
enum class Loop : uint8_t { Closed, Open };

/// What a user bears. Seconds.
struct ServiceLimits {
  std::optional<double> first = {}, gap = {};
};

/// What a run came to. Times are in seconds.
struct Summary {
  double seconds = 0;                                               // from the first request to the end of the last
  int64_t done = 0, failed = 0, cut = 0;                            // cut: under way at the end
  std::map<std::string, int64_t> failures = {};                     // by outcome
  std::map<std::string, std::string> examples = {};                 // a problem of each
  int64_t prompt_tokens = 0, cached_tokens = 0, answer_tokens = 0;  // of requests that are done
  bool counted = true;                                              // by the server, in every request
  double request_rate = 0, prompt_rate = 0, answer_rate = 0;        // in a second
  // Tokens of answers in a second while as many requests were under way as at most, of a closed loop, and for how long:
  // what a run that ends loses in its last seconds is not in it. Absent where that was for no time, and for open loops,
  // where it would be the rate of one moment, the worst.
  std::optional<double> full_rate = {}, full_seconds = {};
  int64_t most_open = 0;
  ServiceLimits limits = {};
  int64_t within_limits = 0;  // requests that keep to the limits: the first text, and the mean time between tokens
  Distribution first = {}, gap = {}, per_token = {}, whole = {};
  std::map<int64_t, Distribution> first_by_turn = {};  // where there are several turns
  double cpu_seconds = 0;                              // of this program

  double goodput() const { return seconds > 0 ? static_cast<double>(within_limits) / seconds : 0; }
};

Summary summarize(std::span<const Result> results, Loop loop, const ServiceLimits& limits, double cpu_seconds);

/// Mean seconds from token to token of one answer; nothing where it has fewer than two.
std::optional<double> seconds_per_token(const Result& result);

}  // namespace cleave::load
