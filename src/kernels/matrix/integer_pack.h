#pragma once

#include <span>

#include "kernels/matrix/strip_packing.h"

namespace cleave::kernels {

/// The packers of integers of 1 to 8 bits with one scale for a record, TQ1_0, TQ2_0, NVFP4, and 4-bit floats. Valid for
/// ever.
std::span<const Packer> integer_packers();

}  // namespace cleave::kernels
