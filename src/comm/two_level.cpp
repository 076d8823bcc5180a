#include "comm/two_level.h"

#include <algorithm>
#include <cstring>

#include "comm/arguments.h"

namespace cleave::comm {
namespace {

// The local rank that takes part between processes.
constexpr int kLeader = 0;

}  // namespace

TwoLevelCommunicator::TwoLevelCommunicator(std::unique_ptr<Communicator> local, std::unique_ptr<Communicator> between,
                                           std::unique_ptr<PointToPoint> direct, std::vector<int> first_ranks,
                                           int process)
    : local_(std::move(local)),
      between_(std::move(between)),
      direct_(std::move(direct)),
      first_ranks_(std::move(first_ranks)),
      process_(process) {
  CHECK_EQ(between_ != nullptr, local_->rank() == kLeader);
  CHECK_EQ(local_->size(), first_ranks_[static_cast<size_t>(process_) + 1] - first_rank());
}

int TwoLevelCommunicator::process_of(int rank) const {
  require_rank(rank, size());
  return static_cast<int>(std::upper_bound(first_ranks_.begin(), first_ranks_.end(), rank) - first_ranks_.begin()) - 1;
}

std::byte* TwoLevelCommunicator::reserve(int64_t bytes) {
  if (static_cast<int64_t>(scratch_.size()) < bytes) scratch_ = Buffer(static_cast<size_t>(bytes), Pages::Small);
  return scratch_.data();
}

// The part of one size per global rank that belongs to this process.
std::span<const int64_t> TwoLevelCommunicator::local_blocks(std::span<const int64_t> blocks) const {
  return blocks.subspan(static_cast<size_t>(first_rank()), static_cast<size_t>(local_->size()));
}

// One size per process, from one per global rank.
std::span<const int64_t> TwoLevelCommunicator::sums_by_process(std::span<const int64_t> blocks) {
  process_blocks_.clear();
  for (size_t p = 0; p + 1 < first_ranks_.size(); ++p)
    process_blocks_.push_back(offset_of(blocks, first_ranks_[p + 1]) - offset_of(blocks, first_ranks_[p]));
  return process_blocks_;
}

void TwoLevelCommunicator::all_reduce(void* data, int64_t count, DType dtype) {
  local_->all_reduce(data, count, dtype);
  if (is_leader()) between_->all_reduce(data, count, dtype);
  local_->broadcast(data, count * kFloatBytes, kLeader);
}

// Moves more than it must: everybody gets the whole sum and keeps its block.
void TwoLevelCommunicator::reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts,
                                          DType dtype) {
  const int64_t count = total_of(counts, size());
  auto* sum = reinterpret_cast<float*>(reserve(count * kFloatBytes));
  if (count > 0) std::memcpy(sum, send, static_cast<size_t>(count * kFloatBytes));
  all_reduce(sum, count, dtype);
  const auto own_bytes = static_cast<size_t>(counts[static_cast<size_t>(rank())] * kFloatBytes);
  if (own_bytes > 0) std::memcpy(receive, sum + offset_of(counts, rank()), own_bytes);
}

void TwoLevelCommunicator::all_gather(const void* send, void* receive, std::span<const int64_t> bytes) {
  const int64_t total = total_of(bytes, size());
  std::byte* own_process = static_cast<std::byte*>(receive) + offset_of(bytes, first_rank());
  local_->gather(send, own_process, local_blocks(bytes), kLeader);
  if (is_leader()) between_->all_gather(own_process, receive, sums_by_process(bytes));
  local_->broadcast(receive, total, kLeader);
}

void TwoLevelCommunicator::gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) {
  const int root_process = process_of(root);
  const int64_t total = total_of(bytes, size());
  if (is_leader()) {
    // The leader of the root's process holds it all, unless it is the root, only to hand it over.
    const bool holds_all = process_ == root_process;
    std::byte* all = rank() == root ? static_cast<std::byte*>(receive) : reserve(total);
    std::byte* own_process = holds_all ? all + offset_of(bytes, first_rank()) : all;
    local_->gather(send, own_process, local_blocks(bytes), kLeader);
    between_->gather(own_process, all, sums_by_process(bytes), root_process);
    if (holds_all && rank() != root) local_->send(all, total, root - first_rank());
  } else {
    local_->gather(send, nullptr, local_blocks(bytes), kLeader);
    if (rank() == root) local_->receive(receive, total, kLeader);
  }
}

void TwoLevelCommunicator::broadcast(void* data, int64_t bytes, int root) {
  const int root_process = process_of(root);
  // Inside the root's process everybody has it from the root, the leader too.
  if (process_ == root_process) local_->broadcast(data, bytes, root - first_rank());
  if (is_leader()) between_->broadcast(data, bytes, root_process);
  if (process_ != root_process) local_->broadcast(data, bytes, kLeader);
}

void TwoLevelCommunicator::send(const void* data, int64_t bytes, int to) {
  if (is_local(to))
    local_->send(data, bytes, to - first_rank());
  else
    direct_->send(data, bytes, to);
}

void TwoLevelCommunicator::receive(void* data, int64_t bytes, int from) {
  if (is_local(from))
    local_->receive(data, bytes, from - first_rank());
  else
    direct_->receive(data, bytes, from);
}

void TwoLevelCommunicator::barrier() {
  local_->barrier();
  if (is_leader()) between_->barrier();
  local_->broadcast(nullptr, 0, kLeader);
}

void TwoLevelCommunicator::tick() {
  local_->tick();
  if (is_leader()) between_->tick();
}

void TwoLevelCommunicator::watch(ThreadPool& pool) {
  local_->watch(pool);
  if (is_leader()) between_->watch(pool);
}

}  // namespace cleave::comm
