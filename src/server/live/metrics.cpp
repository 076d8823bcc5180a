#include "server/live/metrics.h"

#include <fmt/format.h>

#include <algorithm>

namespace cleave::server {
namespace {

constexpr std::array<double, 18> kSeconds = {0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1,
                                             2,     5,     10,   20,   40,   80,  160, 320, 640};
constexpr std::array<double, 13> kGaps = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5};
constexpr std::array<double, 10> kTokens = {1, 8, 32, 128, 512, 1024, 2048, 8192, 32768, 131072};

// A label's value as its quotes want it.
std::string label(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result;
}

}  // namespace

void Histogram::add(double value) {
  const auto range = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  ++counts_[static_cast<size_t>(range - bounds_.begin())];
  sum_ += value;
  ++count_;
}

void MetricsText::begin(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::value(double value, std::string_view labels) {
  text_ += labels.empty() ? fmt::format("{} {}\n", name_, value) : fmt::format("{}{{{}}} {}\n", name_, labels, value);
}

void MetricsText::histogram(const Histogram& histogram) {
  int64_t below = 0;
  for (size_t i = 0; i < histogram.bounds().size(); ++i) {
    below += histogram.counts()[i];
    text_ += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name_, histogram.bounds()[i], below);
  }
  text_ += fmt::format("{}_bucket{{le=\"+Inf\"}} {}\n{}_sum {}\n{}_count {}\n", name_, histogram.count(), name_,
                       histogram.sum(), name_, histogram.count());
}

Metrics::Metrics()
    : first_token_(kSeconds),
      gaps_(kGaps),
      seconds_(kSeconds),
      decode_seconds_(kSeconds),
      prompt_sizes_(kTokens),
      answer_sizes_(kTokens) {
  for (const char* reason : {"stop", "length", "tool_calls", "abort", "error"}) reasons_[reason] = 0;
}

void Metrics::add(const Answer& answer) {
  ++reasons_[std::string(answer.reason)];
  prompt_tokens_ += answer.prompt_tokens;
  cached_tokens_ += answer.cached_tokens;
  new_tokens_ += answer.new_tokens;
  seconds_.add(answer.seconds);
  prompt_sizes_.add(static_cast<double>(answer.prompt_tokens));
  answer_sizes_.add(static_cast<double>(answer.new_tokens));
  if (answer.new_tokens == 0) return;
  first_token_.add(answer.first_token_seconds);
  decode_seconds_.add(answer.seconds - answer.first_token_seconds);
}

void Metrics::write_vllm(const EngineState& state, std::string_view prefix, MetricsText& out) const {
  const auto number = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    out.begin(fmt::format("{}{}", prefix, name), type, help);
    out.value(static_cast<double>(value));
  };
  const auto distribution = [&](std::string_view name, std::string_view help, const Histogram& histogram) {
    out.begin(fmt::format("{}{}", prefix, name), "histogram", help);
    out.histogram(histogram);
  };
  number("num_requests_running", "gauge", "answers being computed", state.running);
  number("num_requests_waiting", "gauge", "answers waiting for room", state.waiting);
  number("kv_cache_usage_perc", "gauge", "share of the key-value cache in use, 0 to 1", state.kv_usage);
  number("num_preemptions_total", "counter", "answers put back for lack of room", state.preemptions);
  number("prompt_tokens_total", "counter", "tokens of prompts", prompt_tokens_);
  number("generation_tokens_total", "counter", "tokens of answers", new_tokens_);
  number("prefix_cache_queries_total", "counter", "tokens of prompts looked up in the cache", prompt_tokens_);
  number("prefix_cache_hits_total", "counter", "of these, found there", cached_tokens_);
  out.begin(fmt::format("{}request_success_total", prefix), "counter", "answers by why they ended");
  for (const auto& [reason, count] : reasons_)
    out.value(static_cast<double>(count), fmt::format("finished_reason=\"{}\"", reason));
  distribution("time_to_first_token_seconds", "from a request to its first token", first_token_);
  distribution("inter_token_latency_seconds", "from token to token of an answer", gaps_);
  distribution("e2e_request_latency_seconds", "from a request to the end of an answer", seconds_);
  distribution("request_decode_time_seconds", "from the first token to the end of an answer", decode_seconds_);
  distribution("request_prompt_tokens", "tokens of a prompt", prompt_sizes_);
  distribution("request_generation_tokens", "tokens of an answer", answer_sizes_);
}

std::string Metrics::text(const EngineState& state, std::string_view model) const {
  MetricsText out;
  for (const std::string_view prefix : {"cleave_", "vllm:"}) write_vllm(state, prefix, out);
  out.begin("cleave_rejections_total", "counter", "requests refused without an answer, by reason");
  for (const auto& [reason, count] : rejections_)
    out.value(static_cast<double>(count), fmt::format("reason=\"{}\"", reason));
  out.begin("cleave_http_responses_total", "counter", "responses by status; 499: the client had left");
  for (const auto& [status, count] : responses_)
    out.value(static_cast<double>(count), fmt::format("status=\"{}\"", status));
  out.begin("cleave_steps_total", "counter", "steps of the model");
  out.value(static_cast<double>(state.steps));
  out.begin("cleave_step_seconds_total", "counter", "time in steps");
  out.value(state.step_seconds);
  out.begin("cleave_exchange_seconds_total", "counter", "of this, time in which rank 0 exchanged or waited for others");
  out.value(state.exchange_seconds);
  out.begin("cleave_host_seconds_total", "counter", "of this, time in which the model did not compute");
  out.value(state.host_seconds);
  out.begin("cleave_connections", "gauge", "open connections");
  out.value(static_cast<double>(state.connections));
  out.begin("cleave_info", "gauge", "the model that is served");
  out.value(1, fmt::format("model=\"{}\"", label(model)));
  return out.text();
}

}  // namespace cleave::server
