#pragma once

#include <cstdint>

namespace cleave::kernels::simd {

/// The codes of a grid (tensor/grids.h) of up to 512 entries, each cut in two: [0] has those of the first half of an
/// entry's elements, [1] those of the second, a byte for each entry. Registers hold such tables.
struct GridHalves {
  alignas(64) uint8_t of[2][512];
};

/// Made when the program starts.
extern const GridHalves kHalvesIq2Xxs, kHalvesIq2Xs, kHalvesIq3Xxs, kHalvesIq3S;

}  // namespace cleave::kernels::simd
