#include "app/bench/samples.h"

#include <algorithm>
#include <numeric>

namespace cleave::app {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double Samples::spread() const {
  if (rates_.empty()) return 0;
  const auto [least, most] = std::ranges::minmax(rates_);
  return (most - least) / rate();
}

double Samples::undisturbed_seconds() const {
  return std::accumulate(shortest_.begin(), shortest_.end(), 0.0);
}

std::array<double, kNumOpKinds> Samples::seconds_by_kind() const {
  std::array<double, kNumOpKinds> medians = {};
  for (size_t kind = 0; kind < kNumOpKinds; ++kind) {
    std::vector<double> values;
    for (const auto& kinds : kinds_by_repetition_) values.push_back(kinds[kind]);
    medians[kind] = median(std::move(values));
  }
  return medians;
}

void Samples::observe(OpKind kind, double seconds) {
  if (next_ == shortest_.size()) shortest_.push_back(seconds);
  shortest_[next_] = std::min(shortest_[next_], seconds);
  ++next_;
  kinds_[static_cast<size_t>(kind)] += seconds;
}

void Samples::end_repetition(double tokens, double seconds, int64_t units) {
  rates_.push_back(tokens / seconds);
  for (double& sum : kinds_) sum /= static_cast<double>(units);
  kinds_by_repetition_.push_back(kinds_);
  kinds_ = {};
}

}  // namespace cleave::app
