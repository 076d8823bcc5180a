#include "engine/step_cost.h"

#include <algorithm>
#include <cmath>

namespace cleave::engine {
namespace {

constexpr double kPositions = 1000;
// How much of an error a lesson corrects, once there have been some.
constexpr double kRate = 0.3;
// A part with half of the largest share or more is what a step teaches something about.
constexpr double kLargeShare = 0.5;
// Lessons after which a step that takes many times as long as predicted is taken for a disturbance of the machine, and
// corrects as if it had taken kMostRatio times as long.
constexpr int64_t kFirstLessons = 8;
constexpr double kMostRatio = 2;

}  // namespace

StepWork StepWork::chunk(int64_t tokens, int64_t position) {
  const auto count = static_cast<double>(tokens);
  return {0, tokens, count * (static_cast<double>(position) + count / 2)};
}

StepWork& StepWork::operator+=(const StepWork& other) {
  decode_rows += other.decode_rows;
  prompt_tokens += other.prompt_tokens;
  prompt_positions += other.prompt_positions;
  return *this;
}

std::array<double, StepCost::kParts> StepCost::units(const StepWork& work) {
  return {1, static_cast<double>(work.decode_rows), static_cast<double>(work.prompt_tokens),
          work.prompt_positions / kPositions};
}

double StepCost::of(const StepWork& work) const {
  const auto units = StepCost::units(work);
  double seconds = 0;
  for (size_t i = 0; i < kParts; ++i) seconds += parts_[i].seconds * units[i];
  return seconds;
}

// Solves a n^2 + b n = seconds, where a is the growth with position.
int64_t StepCost::affordable(double seconds, int64_t position) const {
  if (seconds <= 0) return 0;
  const double a = parts_[3].seconds / (2 * kPositions);
  const double b = parts_[2].seconds + parts_[3].seconds * static_cast<double>(position) / kPositions;
  const double tokens = 2 * seconds / (b + std::sqrt(b * b + 4 * a * seconds));
  return static_cast<int64_t>(std::min(tokens, 1e9));
}

void StepCost::learn(const StepWork& work, double seconds) {
  const auto units = StepCost::units(work);
  std::array<double, kParts> shares{};
  for (size_t i = 0; i < kParts; ++i) shares[i] = parts_[i].seconds * units[i];
  const double largest = *std::ranges::max_element(shares), ratio = std::max(seconds, 1e-6) / of(work);
  for (size_t i = 0; i < kParts; ++i) {
    Part& part = parts_[i];
    const double share = shares[i] / largest;
    const double rate = std::max(kRate, 1.0 / static_cast<double>(1 + part.lessons));
    const double seen = part.lessons < kFirstLessons ? ratio : std::min(ratio, kMostRatio);
    part.seconds *= 1 + rate * share * (seen - 1);
    if (share >= kLargeShare) ++part.lessons;
  }
}

}  // namespace cleave::engine
