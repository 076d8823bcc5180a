#pragma once

#include "base/thread_pool.h"

namespace cleave {

/// Seconds that a call takes, by a clock that never goes back.
double seconds_of(FunctionRef<void()> call);

/// Seconds of the shortest of `rounds` calls. One more call comes first and is not counted: it fills caches and touches
/// memory.
double shortest_call(int rounds, FunctionRef<void()> call);

}  // namespace cleave
