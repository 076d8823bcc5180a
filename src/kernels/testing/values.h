#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace cleave::kernels {

/// Numbers for tests, normally distributed with deviation `scale`; the same for the same seed.
inline std::vector<float> random_floats(int64_t count, uint32_t seed, float scale = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

/// The largest absolute difference, divided by the largest absolute value of `wanted`; infinite if `got` has a NaN.
inline double relative_error(const std::vector<float>& got, const std::vector<float>& wanted) {
  double difference = 0;
  double largest = 1e-30;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (std::isnan(got[i])) return INFINITY;
    difference = std::fmax(difference, std::fabs(static_cast<double>(got[i]) - wanted[i]));
    largest = std::fmax(largest, std::fabs(static_cast<double>(wanted[i])));
  }
  return difference / largest;
}

}  // namespace cleave::kernels
