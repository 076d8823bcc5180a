#include "comm/pulse.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <string_view>

namespace cleave::comm {
namespace {

// Linux: the state of a thread is the letter behind its parenthesised name in /proc/self/task/ID/stat (proc(5)).
bool is_in_uninterruptible_sleep(pid_t thread) {
  char text[256];
  *fmt::format_to_n(text, sizeof(text) - 1, "/proc/self/task/{}/stat", thread).out = '\0';
  const int file = open(text, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t size = read(file, text, sizeof(text));
  close(file);
  const std::string_view stat(text, size > 0 ? static_cast<size_t>(size) : 0);
  const size_t name_end = stat.rfind(") ");
  return name_end != std::string_view::npos && stat.substr(name_end).starts_with(") D");
}

}  // namespace

void Pulse::adopt() {
  clockid_t clock = 0;
  if (pthread_getcpuclockid(pthread_self(), &clock) != 0) return;  // never for a running thread
  thread_id_.store(gettid(), std::memory_order_relaxed);
  clock_.store(clock, std::memory_order_release);
  owner_.store(pthread_self(), std::memory_order_relaxed);
}

Pulse::Sample Pulse::sample() const {
  Sample sample{.progress = ticks_.load(std::memory_order_relaxed)};
  const clockid_t clock = clock_.load(std::memory_order_acquire);
  if (clock == 0) return sample;
  timespec time = {};
  if (clock_gettime(clock, &time) != 0) {
    sample.ended = true;
    return sample;
  }
  sample.progress += static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
  sample.waits_for_disk = is_in_uninterruptible_sleep(thread_id_.load(std::memory_order_relaxed));
  return sample;
}

bool StallClock::stalled(uint64_t progress) {
  const auto now = Clock::now();
  if (progress != progress_) {
    progress_ = progress;
    changed_ = now;
    unchanged_samples_ = 0;
    return false;
  }
  // Three samples: time in which this process was itself stopped must not count against another.
  return ++unchanged_samples_ >= 3 && now - changed_ > limit_;
}

}  // namespace cleave::comm
