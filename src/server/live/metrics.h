#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cleave::server {

/// How often values fell into which range.
class Histogram {
 public:
  /// `bounds` ascend; what is above the last has a range of its own. They must outlive the histogram.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size() + 1) {}

  void add(double value);
  std::span<const double> bounds() const { return bounds_; }
  std::span<const int64_t> counts() const { return counts_; }  // one more than bounds
  double sum() const { return sum_; }
  int64_t count() const { return count_; }

 private:
  std::span<const double> bounds_;
  std::vector<int64_t> counts_;
  double sum_ = 0;
  int64_t count_ = 0;
};

/// Metrics as text for Prometheus, format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
class MetricsText {
 public:
  /// Begins a metric; values follow. `type`: counter, gauge or histogram.
  void begin(std::string_view name, std::string_view type, std::string_view help);
  /// A value of it, with labels as in `finished_reason="stop"`, or without.
  void value(double value, std::string_view labels = {});
  void histogram(const Histogram& histogram);
  const std::string& text() const { return text_; }

 private:
  std::string name_, text_;
};

/// The state of the engine, as its thread knows it.
struct EngineState {
  int64_t running = 0, waiting = 0;              // answers
  int64_t waiting_tokens = 0;                    // of prompts that wait
  double kv_usage = 0;                           // of the key-value cache, 0 to 1
  int64_t kv_blocks = 0;                         // of the key-value cache
  int64_t kv_used = 0;                           // of these, those of answers under way
  int64_t kv_cached = 0;                         // of the others, those that hold beginnings of earlier texts
  int64_t prompt_tokens = 0, cached_tokens = 0;  // of prompts so far, and those of them found in the cache
  int64_t computed_prompt_tokens = 0, generated_tokens = 0;
  int64_t preemptions = 0;
  int64_t steps = 0;
  double step_seconds = 0;      // of all steps together
  double exchange_seconds = 0;  // of these, in which rank 0 exchanged, or waited for other ranks
  double host_seconds = 0;      // of these, what was not the model's
  double seconds_in_step = 0;   // of the step at hand; 0 between steps
  int64_t connections = 0;
};

/// What the server counts. Belongs to the network's thread.
class Metrics {
 public:
  Metrics();

  /// Of one answer that has ended.
  struct Answer {
    std::string_view reason;  // stop, length, tool_calls, abort, error
    int64_t prompt_tokens = 0, cached_tokens = 0, new_tokens = 0;
    double first_token_seconds = 0, seconds = 0;  // since the request came; the first is 0 where there is no token
  };
  void add(const Answer& answer);
  void add_gap(double seconds) { gaps_.add(seconds); }
  void add_rejection(std::string_view reason) { ++rejections_[std::string(reason)]; }
  void add_response(int status) { ++responses_[status]; }

  const Histogram& first_token() const { return first_token_; }  // seconds
  const Histogram& gaps() const { return gaps_; }                // seconds
  const std::map<std::string, int64_t>& reasons() const { return reasons_; }
  const std::map<std::string, int64_t>& rejections() const { return rejections_; }

  /// All as text, under Cleave's names, and those of vLLM for what gateways and dashboards read there.
  std::string text(const EngineState& state, std::string_view model) const;

 private:
  void write_vllm(const EngineState& state, std::string_view prefix, MetricsText& out) const;

  Histogram first_token_, gaps_, seconds_, decode_seconds_, prompt_sizes_, answer_sizes_;
  std::map<std::string, int64_t> reasons_, rejections_;
  std::map<int, int64_t> responses_;
  int64_t prompt_tokens_ = 0, cached_tokens_ = 0, new_tokens_ = 0;
};

}  // namespace cleave::server
