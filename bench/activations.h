#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace cleave {

/// Normally distributed numbers, the same at every call.
inline std::vector<float> activations(int64_t count) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<size_t>(count));
  for (float& value : x) value = normal(generator);
  return x;
}

}  // namespace cleave
