#include "runtime/cpu/sequence_memory.h"

#include "base/error.h"

namespace cleave::runtime::cpu {

SequenceMemory::SequenceMemory(const lower::RankPrograms& programs, const Options& options, ThreadPool& pool)
    : kv_(programs.kv_layers, options.sizes.num_kv_blocks(), kKvBlockSize,
          options.numerics.exact ? DType::F32 : options.numerics.kv_type),
      states_(programs.states, options.sizes.num_state_slots()) {
  if (options.fill_cache) kv_.fill(pool);
}

void SequenceMemory::check(const StepInput& input) const {
  for (const SequenceStep& sequence : input.sequences) {
    for (const int32_t block : sequence.blocks)
      if (block < 0 || block >= kv_.num_blocks())
        fail(ErrorKind::InvalidArgument, "key-value block {} of {}", block, kv_.num_blocks());
    if (sequence.state_slot < 0 || sequence.state_slot >= states_.num_slots())
      fail(ErrorKind::InvalidArgument, "state slot {} of {}", sequence.state_slot, states_.num_slots());
  }
}

}  // namespace cleave::runtime::cpu
