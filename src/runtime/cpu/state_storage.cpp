#include "runtime/cpu/state_storage.h"

#include <algorithm>

namespace cleave::runtime::cpu {

StateStorage::StateStorage(const std::vector<int64_t>& sizes, int64_t num_slots) : num_slots_(num_slots) {
  for (const int64_t size : sizes)
    operations_.push_back({Buffer(static_cast<size_t>(size * num_slots) * sizeof(float)), size});
}

kernels::States StateStorage::of(int state) {
  Operation& operation = operations_.at(static_cast<size_t>(state));
  return {reinterpret_cast<float*>(operation.memory.data()), operation.size};
}

void StateStorage::copy(int64_t from, int64_t to, ThreadPool& pool) {
  pool.parallel_for(std::ssize(operations_), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Operation& operation = operations_[static_cast<size_t>(i)];
      auto* numbers = reinterpret_cast<float*>(operation.memory.data());
      std::copy_n(numbers + from * operation.size, operation.size, numbers + to * operation.size);
    }
  });
}

int64_t StateStorage::bytes() const {
  size_t bytes = 0;
  for (const Operation& operation : operations_) bytes += operation.memory.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace cleave::runtime::cpu
