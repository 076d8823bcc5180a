#include "kernels/simd/grid_halves.h"

#include "tensor/grids.h"

namespace cleave::kernels::simd {
namespace {

GridHalves halves_of(const uint16_t* grid, int entries, int half_bits) {
  GridHalves halves{};
  for (int i = 0; i < entries; ++i) {
    halves.of[0][i] = static_cast<uint8_t>(grid[i] & ((1 << half_bits) - 1));
    halves.of[1][i] = static_cast<uint8_t>(grid[i] >> half_bits);
  }
  return halves;
}

}  // namespace

const GridHalves kHalvesIq2Xxs = halves_of(kGridIq2Xxs, 256, 8);
const GridHalves kHalvesIq2Xs = halves_of(kGridIq2Xs, 512, 8);
const GridHalves kHalvesIq3Xxs = halves_of(kGridIq3Xxs, 256, 6);
const GridHalves kHalvesIq3S = halves_of(kGridIq3S, 512, 6);

}  // namespace cleave::kernels::simd
