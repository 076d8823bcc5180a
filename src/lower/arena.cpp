#include <algorithm>

#include "base/check.h"
#include "lower/lower.h"
#include "lower/passes.h"

namespace cleave::lower {
namespace {

struct Life {
  size_t first = SIZE_MAX, last = 0;  // instructions that write and last read it
  int64_t bytes = 0;
};

std::vector<Life> lives_of(const Program& program) {
  std::vector<Life> lives(program.values.size());
  const auto touch = [&](int32_t value, size_t instruction) {
    Life& life = lives[static_cast<size_t>(value)];
    life.first = std::min(life.first, instruction);
    life.last = std::max(life.last, instruction);
  };
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& instruction = program.instructions[i];
    touch(instruction.output, i);
    for (const Operand& input : instruction.inputs)
      if (input.kind == Operand::Kind::Value) touch(input.index, i);
    if (instruction.routing >= 0) {
      const Routing& routing = program.routings[static_cast<size_t>(instruction.routing)];
      for (const int32_t value : {routing.offsets, routing.order, routing.position}) touch(value, i);
    }
  }
  if (program.output.kind == Operand::Kind::Value)
    lives[static_cast<size_t>(program.output.index)].last = program.instructions.size();
  for (size_t v = 0; v < lives.size(); ++v) {
    const Value& value = program.values[v];
    const int64_t rows = num_rows(value, program.limits.max_tokens, program.limits.max_output_rows);
    constexpr int64_t kUnit = Program::kAlignment;
    lives[v].bytes = (rows * value.width * 4 + kUnit - 1) / kUnit * kUnit;
  }
  return lives;
}

bool overlap(const Life& a, const Life& b) {
  return a.first <= b.last && b.first <= a.last;
}

}  // namespace

// First-fit in the order of first use: each value goes to the lowest place where it meets no value that lives at the
// same time. Values of one layer live briefly, so the list of neighbours stays short.
void assign_offsets(Program& program) {
  const std::vector<Life> lives = lives_of(program);
  std::vector<size_t> order(lives.size());
  for (size_t v = 0; v < order.size(); ++v) order[v] = v;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return lives[a].first < lives[b].first; });
  std::vector<size_t> alive;  // placed, by offset
  program.arena_bytes = 0;
  for (const size_t v : order) {
    std::erase_if(alive, [&](size_t other) { return !overlap(lives[other], lives[v]); });
    int64_t offset = 0;
    for (const size_t other : alive) {
      const int64_t begin = program.values[other].offset;
      if (offset + lives[v].bytes <= begin) break;
      offset = std::max(offset, begin + lives[other].bytes);
    }
    program.values[v].offset = offset;
    program.arena_bytes = std::max(program.arena_bytes, offset + lives[v].bytes);
    alive.insert(
        std::ranges::upper_bound(alive, offset, {}, [&](size_t other) { return program.values[other].offset; }), v);
  }
}

}  // namespace cleave::lower
