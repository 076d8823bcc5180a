#include "runtime/cpu/executor.h"

#include <algorithm>

#include "runtime/cpu/bind.h"

namespace cleave::runtime::cpu {

Executor::Executor(const lower::Program& program, const WeightStore& weights, SequenceMemory& memory,
                   comm::Communicator& communicator, ThreadPool& pool)
    : program_(program),
      memory_(memory),
      state_(program),
      arena_(static_cast<size_t>(program.arena_bytes), Pages::Small),
      workspace_{program, weights.parameters(), memory.kv(), memory.states(), state_, arena_, {}, communicator, pool},
      outputs_(workspace_) {
  size_t bytes = 0;
  for (const lower::Instruction& instruction : program.instructions)
    bytes = std::max(bytes, scratch_bytes(instruction, workspace_));
  scratch_ = Buffer(bytes, Pages::Small);
  workspace_.scratch = scratch_.bytes();
  for (const lower::Instruction& instruction : program.instructions)
    instructions_.push_back(bind(instruction, workspace_));
}

void Executor::observe(const Observer& observer) {
  for (size_t i = 0; i < instructions_.size(); ++i)
    instructions_[i] = [this, inner = instructions_[i], &instruction = program_.instructions[i], observer] {
      inner();
      const auto count = workspace_.rows(instruction) * workspace_.output(instruction).width;
      observer(workspace_.communicator.rank(), instruction,
               {workspace_.value(instruction.output), static_cast<size_t>(count)});
    };
}

StepOutput Executor::step(const StepInput& input) {
  memory_.check(input);
  state_.begin(input, kKvBlockSize, workspace_.pool);
  memory_.restore(input, workspace_.pool);
  const bool has_wishes = !input.wishes.empty();
  for (const BoundInstruction& instruction : std::span(instructions_).first(outputs_.num_instructions(has_wishes))) {
    instruction();
    workspace_.communicator.tick();
  }
  memory_.save(input, workspace_.pool);
  if (has_wishes) return {.rows = outputs_.read(input.wishes)};
  const auto width = static_cast<size_t>(program_.output_width);
  return {.logits = {workspace_.numbers(program_.output), input.output_rows.size() * width}};
}

}  // namespace cleave::runtime::cpu
