#pragma once

#include "kernels/simd/table.h"

namespace cleave::kernels::simd {

/// Table::panel_product in AMX tiles, where depth is a multiple of kPanelDepth and x has rows up to a multiple of 16.
/// REQUIRES: has_tiles(TileNumbers::Bf16).
void amx_panel_product(const PanelTile& tile);

}  // namespace cleave::kernels::simd
