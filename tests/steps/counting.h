#pragma once

#include <cstdint>

namespace cleave {

/// Basic blocks that counted code has run so far. One thread.
uint64_t steps();

}  // namespace cleave
