#pragma once

#include <cstdint>

#include "base/thread_pool.h"
#include "lower/program.h"
#include "runtime/cpu/kv_storage.h"
#include "runtime/cpu/state_storage.h"
#include "runtime/device/options.h"
#include "runtime/device/step.h"

namespace cleave::runtime::cpu {

/// What one rank keeps of all sequences of a model: blocks of cached keys and values, and slots of recurrent states.
/// The programs of a model share it, so that one of them continues what another has begun. Which sequence owns which
/// block and slot is the caller's affair.
class SequenceMemory {
 public:
  /// Memory becomes resident as it is first written: all at once where `options` say that the cache is filled.
  SequenceMemory(const lower::RankPrograms& programs, const Options& options, ThreadPool& pool);

  KvStorage& kv() { return kv_; }
  StateStorage& states() { return states_; }
  int64_t bytes() const { return kv_.bytes() + states_.bytes(); }

  /// Throws Error(InvalidArgument) where a sequence names a block or a slot that there is none of.
  void check(const StepInput& input) const;
  /// Copies states to sequences that go on from others', before a step, and from those that save theirs, after it.
  void restore(const StepInput& input, ThreadPool& pool);
  void save(const StepInput& input, ThreadPool& pool);

 private:
  KvStorage kv_;
  StateStorage states_;
};

}  // namespace cleave::runtime::cpu
