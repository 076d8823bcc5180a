#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/error.h"

namespace cleave::runtime {

/// Memory that a rank is going to take, and what its machine has left. Plain bytes: ranks send it to one another.
struct MemoryNeed {
  char machine[64] = {};  // its name, cut where it is longer
  int64_t weights = 0;    // bytes
  int64_t available = 0;  // bytes
};

/// That of a rank on this machine.
MemoryNeed memory_need(int64_t weights);

/// The first machine that cannot hold the weights of its ranks, as an error that says how much is missing; nothing
/// where all can. Memory is given out as it is first used, and where there is none left the system ends a process
/// without a word: so all ranks look before any of them loads.
std::optional<Error> find_shortage(std::span<const MemoryNeed> ranks);

}  // namespace cleave::runtime
