#pragma once

#include <cstdint>

namespace cleave::load {

/// Random numbers that are the same on every machine: SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
/// number generators). Of two that differ in one of seed, stream and index, neither tells anything of the other.
class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0, uint64_t index = 0)
      : state_(mixed(mixed(mixed(seed) ^ stream) ^ index)) {}

  uint64_t next() { return mixed(state_ += kStep); }
  /// At least 0 and below 1.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// From least to most, both among it. REQUIRES: least <= most.
  int64_t between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(uniform() * static_cast<double>(most - least + 1));
  }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15;

  static uint64_t mixed(uint64_t x) {
    x += kStep;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    return x ^ (x >> 31);
  }

  uint64_t state_;
};

}  // namespace cleave::load
