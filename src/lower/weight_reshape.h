#pragma once

#include "lower/weight_view.h"

namespace cleave::lower {

/// The same elements in row-major order under another shape. A box that is none under the new shape becomes several: a
/// slice of every head, say, becomes a run of rows per head. REQUIRES: as many elements.
WeightView reshape(const WeightView& view, const Shape& shape);

}  // namespace cleave::lower
