#pragma once

#include <cstdint>

namespace cleave::kernels {

/// Numbers that matrix tiles (AMX) multiply. A processor may have instructions for one kind alone.
enum class TileNumbers : uint8_t { Bf16, Int8 };

/// Whether the processor has tiles and products of such numbers, and the system lets this process use them. Asks the
/// system for that permission, which then holds for the whole process.
bool has_tiles(TileNumbers numbers);

/// The configuration of the tile registers, as LDTILECFG reads it (Intel SDM, volume 1, chapter 18): all eight tiles
/// have 16 rows of 64 bytes.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

}  // namespace cleave::kernels
