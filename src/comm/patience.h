#pragma once

#include <cstdint>

namespace cleave::comm {

/// Whether a rank may be waited for without limit while it shows no sign of life (the idle root of a broadcast). Its
/// death ends the wait all the same.
enum class Patience : uint8_t { Bounded, Unlimited };

}  // namespace cleave::comm
