#include "runtime/cpu/sequence_memory.h"

#include "base/error.h"

namespace cleave::runtime::cpu {

SequenceMemory::SequenceMemory(const lower::RankPrograms& programs, const Options& options, ThreadPool& pool)
    : kv_(programs.kv_layers, options.sizes.num_kv_blocks(), kKvBlockSize,
          options.numerics.exact ? DType::F32 : options.numerics.kv_type),
      states_(programs.states, options.sizes.num_state_slots() + options.sizes.num_snapshots) {
  if (options.fill_cache) kv_.fill(pool);
}

void SequenceMemory::check(const StepInput& input) const {
  for (const SequenceStep& sequence : input.sequences) {
    for (const std::span<const int32_t> blocks : {sequence.blocks, sequence.source_blocks})
      for (const int32_t block : blocks)
        if (block < 0 || block >= kv_.num_blocks())
          fail(ErrorKind::InvalidArgument, "key-value block {} of {}", block, kv_.num_blocks());
    if (sequence.state_slot < 0) fail(ErrorKind::InvalidArgument, "state slot {}", sequence.state_slot);
    for (const int64_t slot : {sequence.state_slot, sequence.restored_slot, sequence.saved_slot})
      if (slot < -1 || slot >= states_.num_slots())
        fail(ErrorKind::InvalidArgument, "state slot {} of {}", slot, states_.num_slots());
  }
}

void SequenceMemory::restore(const StepInput& input, ThreadPool& pool) {
  for (const SequenceStep& sequence : input.sequences)
    if (sequence.restored_slot >= 0) states_.copy(sequence.restored_slot, sequence.state_slot, pool);
}

void SequenceMemory::save(const StepInput& input, ThreadPool& pool) {
  for (const SequenceStep& sequence : input.sequences)
    if (sequence.saved_slot >= 0) states_.copy(sequence.state_slot, sequence.saved_slot, pool);
}

}  // namespace cleave::runtime::cpu
