#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lower/program.h"

namespace cleave::lower {

/// Whether an operand is the value that an instruction gave.
inline bool is_value(const Operand& operand, int32_t value) {
  return operand.kind == Operand::Kind::Value && operand.index == value;
}

/// The instructions that give and use the values of a program, found in one walk, so that a pass need not search the
/// program for every instruction. Indices are those of the program as it was then.
class Uses {
 public:
  explicit Uses(const Program& program);

  /// The instruction that alone uses a value, as one of its inputs; nothing where there are more uses or none, the
  /// program's result counting as one.
  std::optional<size_t> only_user(int32_t value) const;
  /// The instruction that gives a value; nothing where none does.
  std::optional<size_t> source(int32_t value) const;

 private:
  struct Entry {
    int64_t uses = 0;
    std::optional<size_t> user;  // the last one
    std::optional<size_t> source;
  };
  std::vector<Entry> entries_;  // by value
};

}  // namespace cleave::lower
