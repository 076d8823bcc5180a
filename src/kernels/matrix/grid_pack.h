#pragma once

#include <span>

#include "kernels/matrix/strip_packing.h"

namespace cleave::kernels {

/// The packers of IQ1 to IQ3. Valid for ever.
std::span<const Packer> grid_packers();

}  // namespace cleave::kernels
