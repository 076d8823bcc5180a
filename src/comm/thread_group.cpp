#include "comm/thread_group.h"

#include <fmt/format.h>
#include <immintrin.h>
#include <sched.h>

#include <thread>

#include "base/check.h"
#include "base/cpus.h"

namespace cleave::comm {
namespace {

// Up to this size every rank reads all others' data (one-shot). Measured with two ranks on two cores (Zen 4): 8 KB take
// 1.4 us one-shot and 5.9 in slices, 16 KB 2.9 and 2.8, 64 KB 11.0 and 9.5.
constexpr int64_t kOneShotBytes = int64_t{16} << 10;

// Longer than the differences between ranks that compute the same amount, shorter than a person notices.
constexpr std::chrono::microseconds kSpin{70};

// Turns given to other threads before sleeping, where ranks share cores: a wake-up by the kernel costs about as much as
// several turns.
constexpr int kYields = 20;

// Sleepers look for failures, and show that they live, this often.
constexpr std::chrono::milliseconds kSlice{100};

}  // namespace

ThreadGroup::ThreadGroup(std::vector<Member> members, const ThreadGroupOptions& options,
                         std::shared_ptr<Failure> failure)
    : members_(std::move(members)),
      options_(options),
      failure_(std::move(failure)),
      one_shot_bytes_(options.one_shot_bytes > 0 ? options.one_shot_bytes : kOneShotBytes),
      cores_suffice_((static_cast<int>(members_.size()) + options.num_neighbours) * options.threads_per_rank <=
                     usable_cpus()),
      slots_(members_.size()),
      mailboxes_(members_.size() * members_.size()),
      copies_(members_.size() * 2 * static_cast<size_t>(copy_stride()), Pages::Small) {}

// The other ranks of this group go on using the same CPUs.
std::shared_ptr<ThreadGroup> ThreadGroup::part(std::span<const int> ranks) const {
  std::vector<Member> members;
  for (const int rank : ranks) members.push_back(members_[static_cast<size_t>(rank)]);
  ThreadGroupOptions options = options_;
  options.num_neighbours += static_cast<int>(members_.size() - members.size());
  return std::make_shared<ThreadGroup>(std::move(members), options, failure_);
}

std::byte* ThreadGroup::copy_space(int rank, uint32_t phase) {
  return copies_.data() + (int64_t{rank} * 2 + (phase & 1)) * copy_stride();
}

bool ThreadGroup::spin(const Signal& signal, uint32_t target) const {
  if (!cores_suffice_) {
    for (int turn = 0; turn < kYields && !signal.reached(target); ++turn) sched_yield();
    return signal.reached(target);
  }
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (signal.reached(target)) return true;
      _mm_pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

void ThreadGroup::wait_longer(const Signal& signal, uint32_t target, int rank, int peer, const char* collective,
                              Patience patience) {
  if (spin(signal, target)) return;
  StallClock stall(options_.stall_timeout);
  for (;;) {
    signal.sleep(target, kSlice);
    const bool left = slot(peer).left.load(std::memory_order_acquire);
    if (signal.reached(target)) return;
    raise_if_failed();
    pulse(rank).tick();
    const Pulse::Sample sample = pulse(peer).sample();
    if (left || sample.ended)
      raise(fmt::format("{} {} while {} waited for it in {}", name(peer), left ? "left the group" : "lost its thread",
                        name(rank), collective));
    const bool is_stalled = stall.stalled(sample.progress, sample.is_busy);
    if (is_stalled && patience == Patience::Bounded)
      raise(fmt::format("{} stalled: for {:.1f} s it neither computed nor joined {}, in which {} waits for it",
                        name(peer), std::chrono::duration<double>(options_.stall_timeout).count(), collective,
                        name(rank)));
  }
}

void ThreadGroup::raise(const std::string& text) {
  failure_->set(text);
  for (RankSlot& slot : slots_)
    while (slot.reads_others.load(std::memory_order_seq_cst)) std::this_thread::yield();
  failure_->raise();
}

}  // namespace cleave::comm
