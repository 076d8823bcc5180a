#pragma once

#include <cstddef>
#include <cstdint>

namespace cleave::jinja {

/// Limits of one rendering, so that no template runs for ever or fills the memory.
struct Limits {
  uint64_t steps = 20'000'000;      // nodes visited and, in part, bytes moved
  size_t memory_bytes = 128 << 20;  // of all values that are alive
  size_t output_bytes = 64 << 20;   // of the rendered text
  int depth = 400;                  // of nested evaluations
  int64_t clock = 0;                // the time that strftime_now shows, in seconds since 1970
};

/// A counter of the steps and the memory that a rendering uses. Values keep a pointer to their meter, which must
/// outlive them. Not thread-safe.
class Meter {
 public:
  explicit Meter(const Limits& limits) : limits_(limits) {}
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // Throw Error(InvalidArgument) beyond the limits.
  void step(uint64_t count = 1);
  void take_memory(size_t bytes);
  void give_memory(size_t bytes) { memory_ -= bytes; }
  const Limits& limits() const { return limits_; }

 private:
  Limits limits_;
  uint64_t steps_ = 0;
  size_t memory_ = 0;
};

/// Memory of a value, counted by a meter until destruction.
class Charge {
 public:
  Charge() = default;
  /// `meter` may be null, because constants of a template belong to no rendering and are not counted.
  Charge(Meter* meter, size_t bytes);
  Charge(const Charge&) = delete;
  Charge& operator=(const Charge&) = delete;
  ~Charge() {
    if (meter_ != nullptr) meter_->give_memory(bytes_);
  }

 private:
  Meter* meter_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace cleave::jinja
