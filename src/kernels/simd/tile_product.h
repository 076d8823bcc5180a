#pragma once

#include "kernels/simd/product_tiles.h"

namespace cleave::kernels::simd {

/// Table::panel_product in matrix tiles (AMX). REQUIRES: has_tiles(TileNumbers::Bf16); depth is a multiple of
/// kPanelDepth; x has memory for rows up to a multiple of 16, whatever is in it.
void amx_panel_product(const PanelTile& tile);

}  // namespace cleave::kernels::simd
