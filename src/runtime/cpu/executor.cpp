#include "runtime/cpu/executor.h"

#include <algorithm>

#include "base/check.h"
#include "runtime/cpu/bind.h"

namespace cleave::runtime::cpu {

// Members are made in this order, since later ones point into earlier ones; none moves afterwards.
struct Executor::Impl {
  Impl(WeightSource& source, lower::RankPrograms lowered, const Options& wanted, comm::Communicator& communicator,
       ThreadPool& pool, const Progress& progress)
      : options(wanted),
        programs(std::move(lowered)),
        weights(load_weights(source, programs.parameters, wanted, pool, progress)),
        kv(programs.kv_layers, (wanted.kv_tokens + kKvBlockSize - 1) / kKvBlockSize, kKvBlockSize,
           wanted.exact ? DType::F32 : wanted.kv_type),
        // As many slots as sequences can ask for logits in one step; the memory of unused ones is never touched.
        states(programs.states, wanted.max_output_rows),
        state(program),
        arena(static_cast<size_t>(program.arena_bytes), Pages::Small),
        workspace{program, weights.parameters, kv, states, state, arena, {}, communicator, pool} {
    if (options.fill_cache) kv.fill(pool);
    size_t bytes = 0;
    for (const lower::Instruction& instruction : program.instructions)
      bytes = std::max(bytes, scratch_bytes(instruction, workspace));
    scratch = Buffer(bytes, Pages::Small);
    workspace.scratch = scratch.bytes();
    for (const lower::Instruction& instruction : program.instructions)
      instructions.push_back(bind(instruction, workspace));
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const Options options;
  const lower::RankPrograms programs;
  const lower::Program& program = programs.programs.front();
  const WeightStore weights;
  KvStorage kv;
  StateStorage states;
  StepState state;
  Buffer arena;
  Buffer scratch;
  Workspace workspace;
  std::vector<BoundInstruction> instructions;
};

Executor::Executor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Executor::Executor(Executor&&) noexcept = default;
Executor& Executor::operator=(Executor&&) noexcept = default;
Executor::~Executor() = default;

Executor Executor::load(WeightSource& weights, lower::RankPrograms programs, const Options& options,
                        comm::Communicator& communicator, ThreadPool& pool, const Progress& progress) {
  return Executor(std::make_unique<Impl>(weights, std::move(programs), options, communicator, pool, progress));
}

int64_t Executor::vocab_size() const {
  return impl_->program.output_width;
}
int64_t Executor::num_blocks() const {
  return impl_->kv.num_blocks();
}
int64_t Executor::num_state_slots() const {
  return impl_->programs.states.empty() ? 0 : impl_->states.num_slots();
}
const Options& Executor::options() const {
  return impl_->options;
}

MemoryUse Executor::memory() const {
  return {impl_->weights.stored_bytes, impl_->weights.resident_bytes(), impl_->kv.bytes() + impl_->states.bytes(),
          static_cast<int64_t>(impl_->arena.size() + impl_->scratch.size())};
}

void Executor::observe(const Observer& observer) {
  Impl& m = *impl_;
  for (size_t i = 0; i < m.instructions.size(); ++i)
    m.instructions[i] = [&m, inner = m.instructions[i], &instruction = m.program.instructions[i], observer] {
      inner();
      const auto count = m.workspace.rows(instruction) * m.workspace.output(instruction).width;
      observer(m.workspace.communicator.rank(), instruction,
               {m.workspace.value(instruction.output), static_cast<size_t>(count)});
    };
}

std::span<const float> Executor::step(const StepInput& input) {
  Impl& m = *impl_;
  for (const SequenceStep& sequence : input.sequences) {
    for (const int32_t block : sequence.blocks)
      if (block < 0 || block >= m.kv.num_blocks())
        fail(ErrorKind::InvalidArgument, "key-value block {} of {}", block, m.kv.num_blocks());
    if (sequence.state_slot < 0 || sequence.state_slot >= m.states.num_slots())
      fail(ErrorKind::InvalidArgument, "state slot {} of {}", sequence.state_slot, m.states.num_slots());
  }
  m.state.begin(input, kKvBlockSize, m.workspace.pool);
  for (const BoundInstruction& instruction : m.instructions) {
    instruction();
    m.workspace.communicator.tick();
  }
  return {m.workspace.numbers(m.program.output), input.output_rows.size() * static_cast<size_t>(vocab_size())};
}

}  // namespace cleave::runtime::cpu
