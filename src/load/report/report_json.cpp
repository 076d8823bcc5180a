#include <fmt/format.h>

#include "load/report/report.h"

namespace cleave::load {
namespace {

Json json_of(const Distribution& times) {
  return {{"count", times.count}, {"mean", times.mean}, {"p50", times.p50}, {"p90", times.p90},
          {"p95", times.p95},     {"p99", times.p99},   {"max", times.max}};
}

Json optional_number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

Json json_of(const std::string& title, const Summary& summary) {
  Json turns = Json::object();
  for (const auto& [turn, times] : summary.first_by_turn) turns[fmt::format("{}", turn)] = json_of(times);
  return {{"title", title},
          {"seconds", summary.seconds},
          {"requests", {{"done", summary.done}, {"failed", summary.failed}, {"under_way", summary.cut}}},
          {"failures", summary.failures},
          {"problems", summary.examples},
          {"requests_per_second", summary.request_rate},
          {"prompt_tokens", summary.prompt_tokens},
          {"cached_tokens", summary.cached_tokens},
          {"answer_tokens", summary.answer_tokens},
          {"tokens_counted_by_server", summary.counted},
          {"prompt_tokens_per_second", summary.prompt_rate},
          {"answer_tokens_per_second", summary.answer_rate},
          {"most_under_way", summary.most_open},
          {"seconds_with_most_under_way", optional_number(summary.full_seconds)},
          {"answer_tokens_per_second_with_most_under_way", optional_number(summary.full_rate)},
          {"limits",
           {{"first", optional_number(summary.limits.first)}, {"per_token", optional_number(summary.limits.gap)}}},
          {"within_limits", summary.within_limits},
          {"goodput", summary.goodput()},
          {"own_cpu_seconds", summary.cpu_seconds},
          {"first", json_of(summary.first)},
          {"gap", json_of(summary.gap)},
          {"per_token", json_of(summary.per_token)},
          {"whole", json_of(summary.whole)},
          {"first_by_turn", std::move(turns)}};
}

}  // namespace cleave::load
