#include "base/stop_watch.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace cleave {

double seconds_of(FunctionRef<void()> call) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  call();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double shortest_call(int rounds, FunctionRef<void()> call) {
  call();
  double shortest = std::numeric_limits<double>::infinity();
  for (int round = 0; round < rounds; ++round) shortest = std::min(shortest, seconds_of(call));
  return shortest;
}

}  // namespace cleave
