#include "runtime/load_board.h"

#include <algorithm>
#include <chrono>

namespace cleave::runtime {

void LoadBoard::post(LoadJob& job) {
  const std::lock_guard lock(mutex_);
  job_ = &job;
  ++posted_;
  changed_.notify_all();
}

void LoadBoard::await_others() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return std::all_of(left_.begin() + 1, left_.end(), [&](uint64_t left) { return left >= posted_; });
  });
}

void LoadBoard::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

LoadJob& LoadBoard::await(size_t rank, const std::function<void()>& tick) {
  // A rank that gives no sign of life for seconds counts as stalled; making a plan can take that long.
  constexpr std::chrono::milliseconds kTick{100};
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, kTick, [&] { return closed_ || posted_ > left_[rank]; })) {
    lock.unlock();
    tick();
    lock.lock();
  }
  if (posted_ <= left_[rank]) fail(ErrorKind::Comm, "the first rank of this process has left");
  return *job_;
}

void LoadBoard::leave(size_t rank) {
  const std::lock_guard lock(mutex_);
  left_[rank] = posted_;
  changed_.notify_all();
}

void LoadBoard::end(size_t rank) {
  const std::lock_guard lock(mutex_);
  left_[rank] = UINT64_MAX;
  changed_.notify_all();
}

}  // namespace cleave::runtime
