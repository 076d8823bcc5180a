#pragma once

#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "kernels/recurrent/recurrent.h"

namespace cleave::runtime::cpu {

/// Memory for what a model's recurrent operations keep of each sequence: for every operation a state of f32 numbers per
/// slot. Which sequence owns which slot is the caller's affair. Memory becomes resident as slots are first written.
class StateStorage {
 public:
  /// `sizes`: numbers of one state, by operation (lower::RankPrograms::states).
  StateStorage(const std::vector<int64_t>& sizes, int64_t num_slots);

  kernels::States of(int state);
  /// Copies all states of a slot to another one.
  void copy(int64_t from, int64_t to, ThreadPool& pool);
  int64_t num_slots() const { return num_slots_; }
  int64_t bytes() const;

 private:
  struct Operation {
    Buffer memory;
    int64_t size;
  };
  std::vector<Operation> operations_;
  int64_t num_slots_;
};

}  // namespace cleave::runtime::cpu
