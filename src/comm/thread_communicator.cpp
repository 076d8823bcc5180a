#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "comm/agreement.h"
#include "comm/arguments.h"
#include "comm/pulse.h"
#include "comm/sum.h"
#include "comm/thread_group.h"

namespace cleave::comm {
namespace {

// The names of collectives in errors; their addresses tell them apart.
constexpr char kAllReduce[] = "all_reduce";
constexpr char kReduceScatter[] = "reduce_scatter";
constexpr char kAllGather[] = "all_gather";
constexpr char kGather[] = "gather";
constexpr char kBroadcast[] = "broadcast";
constexpr char kBarrier[] = "barrier";
constexpr char kSend[] = "send";
constexpr char kReceive[] = "receive";

// Announces, for its lifetime, that a rank reads memory which belongs to others (see ThreadGroup::raise).
class ReadsOthers {
 public:
  ReadsOthers(ThreadGroup& group, int rank) : flag_(group.slot(rank).reads_others) {
    flag_.store(true, std::memory_order_seq_cst);
    if (!group.failure().is_set()) return;
    flag_.store(false, std::memory_order_seq_cst);
    group.raise_if_failed();
  }
  ReadsOthers(const ReadsOthers&) = delete;
  ReadsOthers& operator=(const ReadsOthers&) = delete;
  ~ReadsOthers() { flag_.store(false, std::memory_order_seq_cst); }

 private:
  std::atomic<bool>& flag_;
};

class ThreadCommunicator final : public Communicator {
 public:
  ThreadCommunicator(std::shared_ptr<ThreadGroup> group, int rank)
      : group_(std::move(group)), rank_(rank), sources_(static_cast<size_t>(group_->size())) {}
  ~ThreadCommunicator() override;

  int rank() const override { return rank_; }
  int size() const override { return group_->size(); }
  void all_reduce(void* data, int64_t count, DType dtype) override;
  void reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) override;
  void all_gather(const void* send, void* receive, std::span<const int64_t> bytes) override;
  void gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) override;
  void broadcast(void* data, int64_t bytes, int root) override;
  void send(const void* data, int64_t bytes, int to) override;
  void receive(void* data, int64_t bytes, int from) override;
  void barrier() override;
  void abort(std::string_view why) override;
  void tick() override {
    pulse().adopt_current_thread();
    pulse().tick();
  }
  void watch(std::span<const pid_t> threads) override { pulse().set_helpers(threads); }
  std::unique_ptr<Communicator> split(int color) override;

 private:
  // How a message is exchanged: as copies in shared memory, or read where it lies.
  bool is_one_shot(int64_t bytes) const { return bytes <= group_->one_shot_bytes(); }
  RankSlot& slot() { return group_->slot(rank_); }
  Pulse& pulse() { return group_->pulse(rank_); }

  void begin();
  void publish(const char* collective, const void* data, int64_t data_bytes, int64_t bytes);
  const void* published_by(int peer, Patience patience = Patience::Bounded);
  void wait_for_all(const char* collective);
  void close(const char* collective, int64_t bytes);
  void reduce(const void* own, int64_t offset, int64_t count, float* out);
  void all_reduce_slices(float* data, int64_t count, int64_t bytes);
  void collect(const void* own, void* receive, std::span<const int64_t> bytes);

  std::shared_ptr<ThreadGroup> group_;
  int rank_;
  uint32_t phase_ = 0;                 // the phase this rank is in
  uint32_t known_phase_ = 0;           // every rank is known to have posted this one
  std::vector<const float*> sources_;  // reused by reductions
};

ThreadCommunicator::~ThreadCommunicator() {
  slot().left.store(true, std::memory_order_release);
  slot().posted.wake();
  for (int peer = 0; peer < size(); ++peer) {
    group_->mailbox(rank_, peer).sent.wake();
    group_->mailbox(peer, rank_).taken.wake();
  }
}

void ThreadCommunicator::begin() {
  pulse().adopt_current_thread();
  group_->raise_if_failed();
}

// Waits until every rank has posted the current phase.
void ThreadCommunicator::wait_for_all(const char* collective) {
  if (known_phase_ == phase_) return;
  for (int peer = 0; peer < size(); ++peer)
    group_->wait(group_->slot(peer).posted, phase_, rank_, peer, collective, Patience::Bounded);
  known_phase_ = phase_;
}

// Begins a phase: shows `data` to the others, as a copy where the collective's size `bytes` allows.
void ThreadCommunicator::publish(const char* collective, const void* data, int64_t data_bytes, int64_t bytes) {
  wait_for_all(collective);
  ++phase_;
  if (is_one_shot(bytes) && data_bytes > 0) {
    std::byte* copy = group_->copy_space(rank_, phase_);
    std::memcpy(copy, data, static_cast<size_t>(data_bytes));
    data = copy;
  }
  slot().published[phase_ & 1] = {data, collective, bytes};
  slot().posted.raise(phase_);
}

const void* ThreadCommunicator::published_by(int peer, Patience patience) {
  const Published& own = slot().published[phase_ & 1];
  RankSlot& other = group_->slot(peer);
  group_->wait(other.posted, phase_, rank_, peer, own.collective, patience);
  const Published& entry = other.published[phase_ & 1];
  if (entry.collective != own.collective || entry.bytes != own.bytes)
    group_->raise(fmt::format("ranks disagree: {} calls {} of {} bytes where {} calls {} of {}", group_->name(rank_),
                              own.collective, own.bytes, group_->name(peer), entry.collective, entry.bytes));
  return entry.data;
}

// Ends a collective that reads data where it lies: after it nobody reads this rank's any more.
void ThreadCommunicator::close(const char* collective, int64_t bytes) {
  if (is_one_shot(bytes)) return;
  publish(collective, nullptr, 0, bytes);
  wait_for_all(collective);
}

// Sums the same part of everybody's published floats. `own` is this rank's data: nearer than its copy.
void ThreadCommunicator::reduce(const void* own, int64_t offset, int64_t count, float* out) {
  for (int peer = 0; peer < size(); ++peer) {
    const void* data = peer == rank_ ? own : published_by(peer);
    sources_[static_cast<size_t>(peer)] = static_cast<const float*>(data) + offset;
  }
  const ReadsOthers guard(*group_, rank_);
  sum_in_order(sources_, out, count);
}

void ThreadCommunicator::all_reduce(void* data, int64_t count, DType dtype) {
  require_summable(dtype);
  begin();
  const int64_t bytes = count * kFloatBytes;
  auto* floats = static_cast<float*>(data);
  publish(kAllReduce, data, bytes, bytes);
  if (is_one_shot(bytes))
    reduce(data, 0, count, floats);
  else
    all_reduce_slices(floats, count, bytes);
}

// Reduce-scatter, then all-gather, both in place: a rank writes its own slice while others read only theirs of it, and
// copies other slices while only its own is read.
void ThreadCommunicator::all_reduce_slices(float* data, int64_t count, int64_t bytes) {
  const Slice own = slice_of(count, rank_, size());
  reduce(data, own.begin, own.count(), data + own.begin);
  publish(kAllReduce, data, bytes, bytes);
  for (int step = 1; step < size(); ++step) {  // beginning with the neighbour: not all ranks read from the same one
    const int peer = (rank_ + step) % size();
    const Slice slice = slice_of(count, peer, size());
    const auto* from = static_cast<const float*>(published_by(peer));
    const ReadsOthers guard(*group_, rank_);
    std::memcpy(data + slice.begin, from + slice.begin, static_cast<size_t>(slice.count() * kFloatBytes));
  }
  close(kAllReduce, bytes);
}

void ThreadCommunicator::reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) {
  require_summable(dtype);
  begin();
  const int64_t bytes = total_of(counts, size()) * kFloatBytes;
  publish(kReduceScatter, send, bytes, bytes);
  reduce(send, offset_of(counts, rank_), counts[static_cast<size_t>(rank_)], static_cast<float*>(receive));
  close(kReduceScatter, bytes);
}

// Copies everybody's published block into its place.
void ThreadCommunicator::collect(const void* own, void* receive, std::span<const int64_t> bytes) {
  auto* to = static_cast<std::byte*>(receive);
  for (int peer = 0; peer < size(); ++peer) {
    const int64_t size = bytes[static_cast<size_t>(peer)];
    const void* from = peer == rank_ ? own : published_by(peer);
    const ReadsOthers guard(*group_, rank_);
    if (size > 0 && from != to) std::memcpy(to, from, static_cast<size_t>(size));
    to += size;
  }
}

void ThreadCommunicator::all_gather(const void* send, void* receive, std::span<const int64_t> bytes) {
  begin();
  const int64_t total = total_of(bytes, size());
  publish(kAllGather, send, bytes[static_cast<size_t>(rank_)], total);
  collect(send, receive, bytes);
  close(kAllGather, total);
}

void ThreadCommunicator::gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) {
  require_rank(root, size());
  begin();
  const int64_t total = total_of(bytes, size());
  publish(kGather, send, bytes[static_cast<size_t>(rank_)], total);
  if (rank_ == root) collect(send, receive, bytes);
  close(kGather, total);
}

void ThreadCommunicator::broadcast(void* data, int64_t bytes, int root) {
  require_rank(root, size());
  begin();
  publish(kBroadcast, data, rank_ == root ? bytes : 0, bytes);
  if (rank_ != root) {
    const void* from = published_by(root, Patience::Unlimited);
    const ReadsOthers guard(*group_, rank_);
    if (bytes > 0) std::memcpy(data, from, static_cast<size_t>(bytes));
  }
  close(kBroadcast, bytes);
}

void ThreadCommunicator::barrier() {
  begin();
  publish(kBarrier, nullptr, 0, 0);
  wait_for_all(kBarrier);
}

// The receiver copies straight out of the sender's memory, which the sender therefore keeps until it has been taken.
void ThreadCommunicator::send(const void* data, int64_t bytes, int to) {
  require_rank(to, size());
  begin();
  Mailbox& mailbox = group_->mailbox(rank_, to);
  const uint32_t message = mailbox.sent.count() + 1;
  mailbox.data = data;
  mailbox.bytes = bytes;
  mailbox.sent.raise(message);
  group_->wait(mailbox.taken, message, rank_, to, kSend, Patience::Bounded);
}

void ThreadCommunicator::receive(void* data, int64_t bytes, int from) {
  require_rank(from, size());
  begin();
  Mailbox& mailbox = group_->mailbox(from, rank_);
  const uint32_t message = mailbox.taken.count() + 1;
  group_->wait(mailbox.sent, message, rank_, from, kReceive, Patience::Bounded);
  if (mailbox.bytes != bytes)
    group_->raise(fmt::format("ranks disagree: {} sends {} bytes where {} receives {}", group_->name(from),
                              mailbox.bytes, group_->name(rank_), bytes));
  {
    const ReadsOthers guard(*group_, rank_);
    if (bytes > 0) std::memcpy(data, mailbox.data, static_cast<size_t>(bytes));
  }
  mailbox.taken.raise(message);
}

void ThreadCommunicator::abort(std::string_view why) {
  group_->failure().set(fmt::format("{} gave up: {}", group_->name(rank_), why));
}

// The first rank of a part makes the part's memory and shows the others where it is.
std::unique_ptr<Communicator> ThreadCommunicator::split(int color) {
  using Group = std::shared_ptr<ThreadGroup>;
  const std::vector<int> members = agree_on_part(*this, color).members;
  const bool is_first = !members.empty() && members.front() == rank_;
  const Group made = is_first ? group_->part(members) : nullptr;
  const Group* shown = &made;
  std::vector<const Group*> all(static_cast<size_t>(size()));
  all_gather(&shown, all.data(), std::vector<int64_t>(all.size(), sizeof(shown)));
  std::unique_ptr<Communicator> part;
  if (!members.empty()) {
    const ReadsOthers guard(*group_, rank_);
    const auto place = std::ranges::lower_bound(members, rank_) - members.begin();
    part = std::make_unique<ThreadCommunicator>(*all[static_cast<size_t>(members.front())], static_cast<int>(place));
  }
  barrier();  // until every rank has what `made` holds
  return part;
}

}  // namespace

std::vector<std::unique_ptr<Communicator>> thread_communicators(std::vector<Member> members,
                                                                const ThreadGroupOptions& options,
                                                                std::shared_ptr<Failure> failure) {
  auto group = std::make_shared<ThreadGroup>(std::move(members), options, std::move(failure));
  std::vector<std::unique_ptr<Communicator>> ranks;
  for (int rank = 0; rank < group->size(); ++rank) ranks.push_back(std::make_unique<ThreadCommunicator>(group, rank));
  return ranks;
}

std::vector<std::unique_ptr<Communicator>> thread_communicators(int ranks, const ThreadGroupOptions& options) {
  CHECK_GE(ranks, 1);
  return thread_communicators(numbered_members(ranks), options, std::make_shared<Failure>());
}

}  // namespace cleave::comm
