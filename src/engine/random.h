#pragma once

#include <array>
#include <cstdint>

namespace cleave::engine {

/// Four random words for a counter and a key: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2,
/// 3", 2011). The same on every machine.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A number in [0, 1), every value of 53 bits alike, for place `position` of answer `index` under a seed. Arguments
/// alone decide, so that a choice does not depend on what else was computed, or computed again.
double uniform(uint64_t seed, uint64_t index, uint64_t position);

}  // namespace cleave::engine
