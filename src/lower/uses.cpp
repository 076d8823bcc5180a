#include "lower/uses.h"

namespace cleave::lower {

Uses::Uses(const Program& program) : entries_(program.values.size()) {
  const auto entry = [&](int32_t value) -> Entry& { return entries_.at(static_cast<size_t>(value)); };
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& instruction = program.instructions[i];
    for (const Operand& input : instruction.inputs) {
      if (input.kind != Operand::Kind::Value) continue;
      ++entry(input.index).uses;
      entry(input.index).user = i;
    }
    entry(instruction.output).source = i;
  }
  if (program.output.kind == Operand::Kind::Value) ++entry(program.output.index).uses;
}

std::optional<size_t> Uses::only_user(int32_t value) const {
  const Entry& entry = entries_.at(static_cast<size_t>(value));
  return entry.uses == 1 ? entry.user : std::nullopt;
}

std::optional<size_t> Uses::source(int32_t value) const {
  return entries_.at(static_cast<size_t>(value)).source;
}

}  // namespace cleave::lower
