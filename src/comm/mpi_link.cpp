#include "comm/mpi_link.h"

#include <fmt/format.h>
#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <thread>

#include "base/check.h"

namespace cleave::comm {
namespace {

using Clock = std::chrono::steady_clock;

// MPI counts bytes in an int.
constexpr int64_t kMostBytes = int64_t{1} << 30;

// How a wait becomes calmer: polling while an answer is due, giving way to other threads, then sleeps of a 256th of the
// time waited so far, which delays nothing noticeably. Waiting for minutes costs 0.2% of a core.
constexpr std::chrono::microseconds kPolling{100}, kYielding{2000};
constexpr int kSleepShare = 256;
constexpr std::chrono::nanoseconds kLongestSleep{10'000'000};

constexpr std::chrono::milliseconds kLookInterval{100};

}  // namespace

int MpiContext::process_of(int rank) const {
  return static_cast<int>(std::upper_bound(first_ranks.begin(), first_ranks.end(), rank) - first_ranks.begin()) - 1;
}

void MpiContext::check(int code, const char* what) const {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int size = 0;
  MPI_Error_string(code, text, &size);
  failure->set(fmt::format("{}: {} failed: {}", names[static_cast<size_t>(process)], what, text));
  failure->raise();
}

void MpiTransfers::send(const void* data, int64_t bytes, int process, int tag) {
  const auto* from = static_cast<const std::byte*>(data);
  do {
    const int64_t piece = std::min(bytes, kMostBytes);
    context_.check(MPI_Isend(from, static_cast<int>(piece), MPI_BYTE, process, tag, communicator_,
                             &requests_.emplace_back(MPI_REQUEST_NULL)),
                   "MPI_Isend");
    transfers_.push_back({.process = process, .bytes = piece, .is_receive = false});
    from += piece;
    bytes -= piece;
  } while (bytes > 0);
}

void MpiTransfers::receive(void* data, int64_t bytes, int process, int tag) {
  auto* to = static_cast<std::byte*>(data);
  do {
    const int64_t piece = std::min(bytes, kMostBytes);
    context_.check(MPI_Irecv(to, static_cast<int>(piece), MPI_BYTE, process, tag, communicator_,
                             &requests_.emplace_back(MPI_REQUEST_NULL)),
                   "MPI_Irecv");
    transfers_.push_back({.process = process, .bytes = piece, .is_receive = true});
    to += piece;
    bytes -= piece;
  } while (bytes > 0);
}

bool MpiTransfers::all_done() {
  int done = 0;
  statuses_.resize(requests_.size());
  context_.check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &done, statuses_.data()),
                 "a transfer");
  return done != 0;
}

void MpiTransfers::wait(const char* collective, Patience patience) {
  const auto start = Clock::now();
  auto next_look = start + kLookInterval;
  stalls_.clear();
  while (!all_done()) {
    context_.failure->raise_if_set();
    const auto now = Clock::now();
    pause(now - start);
    if (now < next_look) continue;
    next_look = now + kLookInterval;
    context_.pulse.tick();
    if (patience == Patience::Bounded) look_for_stalls(collective);
  }
  for (size_t i = 0; i < transfers_.size(); ++i) {
    int bytes = 0;
    MPI_Get_count(&statuses_[i], MPI_BYTE, &bytes);
    if (transfers_[i].is_receive && bytes != transfers_[i].bytes) {
      context_.failure->set(fmt::format("ranks disagree: {} sent {} bytes where {} waits for {} in {}",
                                        context_.names[static_cast<size_t>(transfers_[i].process)], bytes,
                                        context_.names[static_cast<size_t>(context_.process)], transfers_[i].bytes,
                                        collective));
      context_.failure->raise();
    }
  }
  requests_.clear();
  transfers_.clear();
}

void MpiTransfers::pause(std::chrono::nanoseconds waited) const {
  if (waited < kPolling && context_.cores_suffice)
    _mm_pause();
  else if (waited < kYielding)
    sched_yield();
  else
    std::this_thread::sleep_for(std::min(waited / kSleepShare, kLongestSleep));
}

void MpiTransfers::look_for_stalls(const char* collective) {
  if (stalls_.empty()) stalls_.assign(static_cast<size_t>(context_.num_processes), StallClock(context_.stall_timeout));
  for (size_t i = 0; i < requests_.size(); ++i) {
    int done = 0;
    MPI_Request_get_status(requests_[i], &done, MPI_STATUS_IGNORE);
    const auto process = static_cast<size_t>(transfers_[i].process);
    if (done != 0 || !stalls_[process].stalled(context_.heartbeat->progress(transfers_[i].process))) continue;
    context_.failure->set(
        fmt::format("{} stalled: for {:.1f} s it neither computed nor joined {}, in which {} waits for it",
                    context_.names[process], std::chrono::duration<double>(context_.stall_timeout).count(), collective,
                    context_.names[static_cast<size_t>(context_.process)]));
    context_.failure->raise();
  }
}

}  // namespace cleave::comm
