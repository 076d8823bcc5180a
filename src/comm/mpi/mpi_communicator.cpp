#include "comm/mpi/mpi_communicator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "comm/agreement.h"
#include "comm/arguments.h"
#include "comm/sum.h"

namespace cleave::comm {
namespace {

// Up to this size everybody sends everything to everybody (one-shot): a second exchange costs a latency, some 30 us
// over 10-gigabit Ethernet, in which 32 KB can be sent.
constexpr int64_t kOneShotBytes = int64_t{32} << 10;

const std::byte* as_bytes(const void* data) {
  return static_cast<const std::byte*>(data);
}

}  // namespace

// Messages between a pair of ranks arrive in order, so that all calls of a group can share a tag.
MpiCommunicator::MpiCommunicator(std::shared_ptr<MpiLinks> links, std::vector<int> members, int group)
    : links_(std::move(links)),
      members_(std::move(members)),
      rank_(static_cast<int>(std::ranges::lower_bound(members_, links_->rank()) - members_.begin())),
      transfers_(context(), context().collectives, links_->rank(), group) {
  CHECK_LT(rank_, size());
  CHECK_EQ(member(rank_), links_->rank());
}

void MpiCommunicator::begin() {
  context().failure->raise_if_set();
  pulse().adopt_current_thread();
}

float* MpiCommunicator::reserve(int64_t bytes) {
  if (static_cast<int64_t>(scratch_.size()) < bytes) scratch_ = Buffer(static_cast<size_t>(bytes), Pages::Small);
  return scratch_.as<float>();
}

void MpiCommunicator::all_reduce(void* data, int64_t count, DType dtype) {
  require_summable(dtype);
  begin();
  const int64_t bytes = count * kFloatBytes;
  auto* floats = static_cast<float*>(data);
  if (bytes > kOneShotBytes) {
    slices_.clear();
    for (int peer = 0; peer < size(); ++peer) slices_.push_back(slice_of(count, peer, size()).count());
    float* own = floats + offset_of(slices_, rank());
    reduce_scatter(data, own, slices_, dtype);
    for (int64_t& slice : slices_) slice *= kFloatBytes;
    all_gather(own, data, slices_);
    return;
  }
  float* received = reserve(bytes * size());
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    transfers_.receive(received + peer * count, bytes, member(peer));
    transfers_.send(data, bytes, member(peer));
  }
  transfers_.wait("all_reduce", Patience::Bounded);
  reduce_to(floats, 0, count, floats);
}

// Sums what each process has sent to scratch_ ([size()][count]) with this process's own part, in their order.
void MpiCommunicator::reduce_to(const float* own, int64_t own_offset, int64_t count, float* out) {
  sources_.clear();
  for (int peer = 0; peer < size(); ++peer)
    sources_.push_back(peer == rank() ? own + own_offset : scratch_.as<float>() + peer * count);
  sum_in_order(sources_, out, count);
}

void MpiCommunicator::reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) {
  require_summable(dtype);
  begin();
  total_of(counts, size());
  const int64_t own_count = counts[static_cast<size_t>(rank())];
  float* received = reserve(own_count * kFloatBytes * size());
  int64_t offset = 0;
  for (int peer = 0; peer < size(); ++peer) {
    const int64_t count = counts[static_cast<size_t>(peer)];
    if (peer != rank()) {
      transfers_.receive(received + peer * own_count, own_count * kFloatBytes, member(peer));
      transfers_.send(static_cast<const float*>(send) + offset, count * kFloatBytes, member(peer));
    }
    offset += count;
  }
  transfers_.wait("reduce_scatter", Patience::Bounded);
  reduce_to(static_cast<const float*>(send), offset_of(counts, rank()), own_count, static_cast<float*>(receive));
}

// Sends this process's block to all others and receives theirs.
void MpiCommunicator::exchange_blocks(const char* name, const void* send, void* receive,
                                      std::span<const int64_t> bytes) {
  auto* to = static_cast<std::byte*>(receive);
  const int64_t own_bytes = bytes[static_cast<size_t>(rank())];
  for (int peer = 0; peer < size(); ++peer) {
    const int64_t block = bytes[static_cast<size_t>(peer)];
    if (peer == rank()) {
      if (block > 0 && to != send) std::memcpy(to, send, static_cast<size_t>(block));
    } else {
      transfers_.receive(to, block, member(peer));
      transfers_.send(send, own_bytes, member(peer));
    }
    to += block;
  }
  transfers_.wait(name, Patience::Bounded);
}

void MpiCommunicator::all_gather(const void* send, void* receive, std::span<const int64_t> bytes) {
  begin();
  total_of(bytes, size());
  exchange_blocks("all_gather", send, receive, bytes);
}

void MpiCommunicator::gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) {
  require_rank(root, size());
  begin();
  total_of(bytes, size());
  if (rank() != root) {
    transfers_.send(send, bytes[static_cast<size_t>(rank())], member(root));
    transfers_.wait("gather", Patience::Bounded);
    return;
  }
  auto* to = static_cast<std::byte*>(receive);
  for (int peer = 0; peer < size(); ++peer) {
    const int64_t block = bytes[static_cast<size_t>(peer)];
    if (peer != rank())
      transfers_.receive(to, block, member(peer));
    else if (block > 0 && as_bytes(send) != to)
      std::memcpy(to, send, static_cast<size_t>(block));
    to += block;
  }
  transfers_.wait("gather", Patience::Bounded);
}

void MpiCommunicator::broadcast(void* data, int64_t bytes, int root) {
  require_rank(root, size());
  begin();
  if (rank() != root) {
    transfers_.receive(data, bytes, member(root));
    transfers_.wait("broadcast", Patience::Unlimited);
    return;
  }
  for (int peer = 0; peer < size(); ++peer)
    if (peer != root) transfers_.send(data, bytes, member(peer));
  transfers_.wait("broadcast", Patience::Bounded);
}

void MpiCommunicator::send(const void* data, int64_t bytes, int to) {
  require_rank(to, size());
  begin();
  transfers_.send(data, bytes, member(to));
  transfers_.wait("send", Patience::Bounded);
}

void MpiCommunicator::receive(void* data, int64_t bytes, int from) {
  require_rank(from, size());
  begin();
  transfers_.receive(data, bytes, member(from));
  transfers_.wait("receive", Patience::Bounded);
}

void MpiCommunicator::barrier() {
  begin();
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    transfers_.receive(nullptr, 0, member(peer));
    transfers_.send(nullptr, 0, member(peer));
  }
  transfers_.wait("barrier", Patience::Bounded);
}

void MpiCommunicator::abort(std::string_view why) {
  context().failure->set(fmt::format("{} gave up: {}", context().name_of(links_->rank()), why));
}

void MpiCommunicator::tick() {
  pulse().adopt_current_thread();
  pulse().tick();
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color) {
  const Part part = agree_on_part(*this, color, links_->free_number());
  links_->take_number(part.number);
  if (part.members.empty()) return nullptr;
  std::vector<int> members;
  for (const int place : part.members) members.push_back(member(place));
  return links_->collectives(std::move(members), part.number);
}

MpiPointToPoint::MpiPointToPoint(std::shared_ptr<MpiLinks> links, std::vector<int> members, int group)
    : links_(std::move(links)),
      members_(std::move(members)),
      transfers_(links_->context(), links_->context().direct, links_->rank(), group) {}

void MpiPointToPoint::send(const void* data, int64_t bytes, int to) {
  links_->context().failure->raise_if_set();
  transfers_.send(data, bytes, members_[static_cast<size_t>(to)]);
  transfers_.wait("send", Patience::Bounded);
}

void MpiPointToPoint::receive(void* data, int64_t bytes, int from) {
  links_->context().failure->raise_if_set();
  transfers_.receive(data, bytes, members_[static_cast<size_t>(from)]);
  transfers_.wait("receive", Patience::Bounded);
}

}  // namespace cleave::comm
