#pragma once

#include <cstdint>
#include <span>

namespace cleave::comm {

/// out[i] = sources[0][i] + sources[1][i] + ..., added in that order. `out` may be one of the sources.
/// REQUIRES: at least one source.
void sum_in_order(std::span<const float* const> sources, float* out, int64_t count);

}  // namespace cleave::comm
