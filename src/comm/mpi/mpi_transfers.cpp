#include "comm/mpi/mpi_transfers.h"

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

uint64_t MpiContext::progress_of(int rank) const {
  return heartbeat->progress(process_of(rank), local(rank));
}

int MpiContext::tag(int group, int from, int to) const {
  return (group * most_local_ranks + local(from)) * most_local_ranks + local(to);
}

void MpiContext::require_tags(int group) const {
  int* largest = nullptr;
  int known = 0;
  check(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, static_cast<void*>(&largest), &known), "MPI_Comm_get_attr");
  const int64_t most = most_local_ranks, needed = (int64_t{group} + 1) * most * most - 1;
  if (known != 0 && needed > *largest)
    fail(ErrorKind::Unsupported, "this MPI has tags up to {} and cannot tell {} groups of {} ranks per process apart",
         *largest, group + 1, most);
}

void MpiContext::check(int code, const char* what) const {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int size = 0;
  MPI_Error_string(code, text, &size);
  failure->set(fmt::format("{}: {} failed: {}", names[static_cast<size_t>(process)], what, text));
  failure->raise();
}

MpiTransfers::MpiTransfers(MpiContext& context, MPI_Comm communicator, int rank, int group)
    : context_(context), communicator_(communicator), rank_(rank), group_(group) {}

void MpiTransfers::send(const void* data, int64_t bytes, int to) {
  const auto* from = static_cast<const std::byte*>(data);
  const int process = context_.process_of(to), tag = context_.tag(group_, rank_, to);
  do {
    const int64_t piece = std::min(bytes, kMostBytes);
    context_.check(MPI_Isend(from, static_cast<int>(piece), MPI_BYTE, process, tag, communicator_,
                             &requests_.emplace_back(MPI_REQUEST_NULL)),
                   "MPI_Isend");
    transfers_.push_back({.peer = to, .bytes = piece, .is_receive = false});
    from += piece;
    bytes -= piece;
  } while (bytes > 0);
}

void MpiTransfers::receive(void* data, int64_t bytes, int from) {
  auto* to = static_cast<std::byte*>(data);
  const int process = context_.process_of(from), tag = context_.tag(group_, from, rank_);
  do {
    const int64_t piece = std::min(bytes, kMostBytes);
    context_.check(MPI_Irecv(to, static_cast<int>(piece), MPI_BYTE, process, tag, communicator_,
                             &requests_.emplace_back(MPI_REQUEST_NULL)),
                   "MPI_Irecv");
    transfers_.push_back({.peer = from, .bytes = piece, .is_receive = true});
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
    context_.pulse_of(rank_).tick();
    if (patience == Patience::Bounded) look_for_stalls(collective);
  }
  check_sizes(collective);
  requests_.clear();
  transfers_.clear();
}

void MpiTransfers::check_sizes(const char* collective) {
  for (size_t i = 0; i < transfers_.size(); ++i) {
    int bytes = 0;
    MPI_Get_count(&statuses_[i], MPI_BYTE, &bytes);
    if (!transfers_[i].is_receive || bytes == transfers_[i].bytes) continue;
    context_.failure->set(fmt::format("ranks disagree: {} sent {} bytes where {} waits for {} in {}",
                                      context_.name_of(transfers_[i].peer), bytes, context_.name_of(rank_),
                                      transfers_[i].bytes, collective));
    context_.failure->raise();
  }
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
  if (stalls_.empty()) stalls_.assign(requests_.size(), StallClock(context_.stall_timeout));
  for (size_t i = 0; i < requests_.size(); ++i) {
    int done = 0;
    MPI_Request_get_status(requests_[i], &done, MPI_STATUS_IGNORE);
    const int peer = transfers_[i].peer;
    if (done != 0 || !stalls_[i].stalled(context_.progress_of(peer))) continue;
    context_.failure->set(fmt::format(
        "{} stalled: for {:.1f} s it neither computed nor joined {}, in which {} waits for it", context_.name_of(peer),
        std::chrono::duration<double>(context_.stall_timeout).count(), collective, context_.name_of(rank_)));
    context_.failure->raise();
  }
}

}  // namespace cleave::comm
