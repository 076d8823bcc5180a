#pragma once

#include "tensor/blocks.h"

namespace cleave {

/// Converts a block of a type with a codebook of vectors (tensor/grids.h) to its 256 numbers.
void decode(const BlockIQ2_XXS& block, float* out);
void decode(const BlockIQ2_XS& block, float* out);
void decode(const BlockIQ2_S& block, float* out);
void decode(const BlockIQ3_XXS& block, float* out);
void decode(const BlockIQ3_S& block, float* out);
void decode(const BlockIQ1_S& block, float* out);
void decode(const BlockIQ1_M& block, float* out);

}  // namespace cleave
