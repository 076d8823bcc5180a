#pragma once

#include <sched.h>

#include <cstdint>

namespace cleave::comm {

/// Whether a rank may be waited for without limit while it shows no sign of life (the idle root of a broadcast). Its
/// death ends the wait all the same.
enum class Patience : uint8_t { Bounded, Unlimited };

/// Cores that this process may run on.
inline int available_cores() {
  cpu_set_t cpus;
  return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
}

}  // namespace cleave::comm
