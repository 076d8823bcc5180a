#include "runtime/shared_work.h"

#include <thread>

namespace cleave::runtime {

void SharedWork::post(int64_t count, const Task& task) {
  task_ = &task;
  count_ = count;
  next_ = 0;
  ++posted_;
}

void SharedWork::take_part(size_t rank, Device& device) {
  device.run([&](int thread) {
    const int worker = static_cast<int>(rank) * threads_ + thread;
    for (int64_t index = next_++; index < count_; index = next_++) (*task_)(index, worker);
  });
  ++done_[rank];
}

// Tasks are short, so that sleeping would take longer than they do.
void SharedWork::await_others() const {
  for (size_t rank = 1; rank < done_.size(); ++rank)
    while (done_[rank] < posted_) std::this_thread::yield();
}

}  // namespace cleave::runtime
