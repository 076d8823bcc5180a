#include "comm/pulse.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <string_view>

namespace cleave::comm {
namespace {

// Whether a thread runs, waits for a processor (R), or sleeps uninterruptibly in the kernel, mostly for a disk (D).
// Linux shows the letter behind the thread's parenthesised name in /proc/self/task/ID/stat (proc(5)).
bool is_runnable_or_waits_for_disk(pid_t thread) {
  char text[256];
  *fmt::format_to_n(text, sizeof(text) - 1, "/proc/self/task/{}/stat", thread).out = '\0';
  const int file = open(text, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  const ssize_t size = read(file, text, sizeof(text));
  close(file);
  const std::string_view stat(text, size > 0 ? static_cast<size_t>(size) : 0);
  const size_t name_end = stat.rfind(") ");
  if (name_end == std::string_view::npos) return false;
  return stat.substr(name_end).starts_with(") R") || stat.substr(name_end).starts_with(") D");
}

}  // namespace

// The clock is what pthread_getcpuclockid would give, which takes no thread's number: the number's complement, then
// three bits that ask for the processor time (2) of a single thread (4).
Pulse::Thread Pulse::Thread::of(pid_t id) {
  return {.clock = static_cast<clockid_t>(~static_cast<uint32_t>(id) << 3 | 6), .id = id};
}

void Pulse::adopt() {
  const std::scoped_lock lock(mutex_);
  main_ = Thread::of(gettid());
  owner_.store(pthread_self(), std::memory_order_relaxed);
}

void Pulse::set_helpers(std::span<const pid_t> threads) {
  const std::scoped_lock lock(mutex_);
  helpers_.clear();
  for (const pid_t thread : threads) helpers_.push_back(Thread::of(thread));
}

Pulse::Sample Pulse::sample() const {
  Sample sample{.progress = ticks_.load(std::memory_order_relaxed)};
  const auto add = [&sample](const Thread& thread) {
    timespec time = {};
    if (clock_gettime(thread.clock, &time) != 0) return false;
    sample.progress += static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
    sample.is_busy = sample.is_busy || is_runnable_or_waits_for_disk(thread.id);
    return true;
  };
  const std::scoped_lock lock(mutex_);
  if (main_) sample.ended = !add(*main_);
  for (const Thread& helper : helpers_) add(helper);
  return sample;
}

std::vector<Member> numbered_members(int num_ranks) {
  std::vector<Member> members;
  for (int rank = 0; rank < num_ranks; ++rank) members.push_back({.name = fmt::format("rank {}", rank)});
  return members;
}

bool StallClock::stalled(uint64_t progress, bool is_busy) {
  const auto now = Clock::now();
  if (progress != progress_ || is_busy) {
    progress_ = progress;
    changed_ = now;
    unchanged_samples_ = 0;
    return false;
  }
  // Three samples: time in which this process was itself stopped must not count against another.
  return ++unchanged_samples_ >= 3 && now - changed_ > limit_;
}

}  // namespace cleave::comm
