#pragma once

#include "kernels/simd/isa.h"

namespace cleave::kernels::simd {

/// The largest set that this processor and operating system support, which need not be the fastest. Found out once per
/// process. Thread-safe.
Isa largest_isa();

}  // namespace cleave::kernels::simd
