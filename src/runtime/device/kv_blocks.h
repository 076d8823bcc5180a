#pragma once

#include "runtime/device/step.h"

namespace cleave::runtime {

/// Blocks that hold so many positions of a sequence.
constexpr int64_t kv_blocks_for(int64_t positions) {
  return (positions + kKvBlockSize - 1) / kKvBlockSize;
}

}  // namespace cleave::runtime
