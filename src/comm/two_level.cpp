#include "comm/two_level.h"

#include <algorithm>
#include <cstring>

#include "comm/agreement.h"
#include "comm/arguments.h"

namespace cleave::comm {
namespace {

// The local rank that takes part between processes.
constexpr int kLeader = 0;

}  // namespace

std::vector<int> TwoLevelGroup::leaders() const {
  std::vector<int> leaders;
  for (size_t p = 0; p + 1 < first_ranks.size(); ++p) leaders.push_back(ranks[static_cast<size_t>(first_ranks[p])]);
  return leaders;
}

TwoLevelCommunicator::TwoLevelCommunicator(std::unique_ptr<Communicator> local, std::shared_ptr<Links> links,
                                           TwoLevelGroup group)
    : local_(std::move(local)), links_(std::move(links)), group_(std::move(group)) {
  CHECK_EQ(local_->size(), group_.first_ranks[static_cast<size_t>(group_.process) + 1] - first_rank());
  if (local_->rank() == kLeader) between_ = links_->collectives(group_.leaders(), group_.number);
  direct_ = links_->transfers(group_.ranks, group_.number);
}

int TwoLevelCommunicator::process_of(int rank) const {
  require_rank(rank, size());
  const std::vector<int>& firsts = group_.first_ranks;
  return static_cast<int>(std::upper_bound(firsts.begin(), firsts.end(), rank) - firsts.begin()) - 1;
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
  for (size_t p = 0; p + 1 < group_.first_ranks.size(); ++p)
    process_blocks_.push_back(offset_of(blocks, group_.first_ranks[p + 1]) - offset_of(blocks, group_.first_ranks[p]));
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
    const bool holds_all = group_.process == root_process;
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
  if (group_.process == root_process) local_->broadcast(data, bytes, root - first_rank());
  if (is_leader()) between_->broadcast(data, bytes, root_process);
  if (group_.process != root_process) local_->broadcast(data, bytes, kLeader);
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

// What this process is of a part, whose members are ranks of this group.
TwoLevelGroup TwoLevelCommunicator::part_of(std::span<const int> members, int number) const {
  TwoLevelGroup part{.number = number};
  int last_process = -1;
  for (const int member : members) {
    const int process = process_of(member);
    if (process != last_process) part.first_ranks.push_back(static_cast<int>(part.ranks.size()));
    if (process == group_.process) part.process = static_cast<int>(part.first_ranks.size()) - 1;
    part.ranks.push_back(group_.ranks[static_cast<size_t>(member)]);
    last_process = process;
  }
  part.first_ranks.push_back(static_cast<int>(part.ranks.size()));
  return part;
}

// A part inside one process needs no second level, and one of single ranks of processes no first.
std::unique_ptr<Communicator> TwoLevelCommunicator::split(int color) {
  const Part agreed = agree_on_part(*this, color, links_->free_number());
  links_->take_number(agreed.number);
  std::unique_ptr<Communicator> local = local_->split(color);
  if (local == nullptr) return nullptr;
  TwoLevelGroup part = part_of(agreed.members, agreed.number);
  if (part.num_processes() == 1) return local;
  if (part.num_processes() == static_cast<int>(part.ranks.size()))
    return links_->collectives(std::move(part.ranks), part.number);
  return std::make_unique<TwoLevelCommunicator>(std::move(local), links_, std::move(part));
}

}  // namespace cleave::comm
