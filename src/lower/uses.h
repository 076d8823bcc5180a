#pragma once

#include "lower/program.h"

namespace cleave::lower {

/// Whether an operand is the value that an instruction gave.
inline bool is_value(const Operand& operand, int32_t value) {
  return operand.kind == Operand::Kind::Value && operand.index == value;
}

}  // namespace cleave::lower
