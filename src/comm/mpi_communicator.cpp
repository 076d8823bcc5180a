#include "comm/mpi_communicator.h"

#include <fmt/format.h>

#include <cstring>

#include "comm/arguments.h"
#include "comm/sum.h"

namespace cleave::comm {
namespace {

// Messages between a pair arrive in order, so that all collectives can share a tag.
constexpr int kTag = 0;

// Up to this size everybody sends everything to everybody (one-shot): a second exchange costs a latency, some 30 us
// over 10-gigabit Ethernet, in which 32 KB can be sent.
constexpr int64_t kOneShotBytes = int64_t{32} << 10;

const std::byte* as_bytes(const void* data) {
  return static_cast<const std::byte*>(data);
}

}  // namespace

void MpiCommunicator::begin() {
  context_.failure->raise_if_set();
  context_.pulse.adopt_current_thread();
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
    for (int process = 0; process < size(); ++process) slices_.push_back(slice_of(count, process, size()).count());
    float* own = floats + offset_of(slices_, rank());
    reduce_scatter(data, own, slices_, dtype);
    for (int64_t& slice : slices_) slice *= kFloatBytes;
    all_gather(own, data, slices_);
    return;
  }
  float* received = reserve(bytes * size());
  for (int process = 0; process < size(); ++process) {
    if (process == rank()) continue;
    transfers_.receive(received + process * count, bytes, process, kTag);
    transfers_.send(data, bytes, process, kTag);
  }
  transfers_.wait("all_reduce", Patience::Bounded);
  reduce_to(floats, 0, count, floats);
}

// Sums what each process has sent to scratch_ ([size()][count]) with this process's own part, in their order.
void MpiCommunicator::reduce_to(const float* own, int64_t own_offset, int64_t count, float* out) {
  sources_.clear();
  for (int process = 0; process < size(); ++process)
    sources_.push_back(process == rank() ? own + own_offset : scratch_.as<float>() + process * count);
  sum_in_order(sources_, out, count);
}

void MpiCommunicator::reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) {
  require_summable(dtype);
  begin();
  total_of(counts, size());
  const int64_t own_count = counts[static_cast<size_t>(rank())];
  float* received = reserve(own_count * kFloatBytes * size());
  int64_t offset = 0;
  for (int process = 0; process < size(); ++process) {
    const int64_t count = counts[static_cast<size_t>(process)];
    if (process != rank()) {
      transfers_.receive(received + process * own_count, own_count * kFloatBytes, process, kTag);
      transfers_.send(static_cast<const float*>(send) + offset, count * kFloatBytes, process, kTag);
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
  for (int process = 0; process < size(); ++process) {
    const int64_t block = bytes[static_cast<size_t>(process)];
    if (process == rank()) {
      if (block > 0 && to != send) std::memcpy(to, send, static_cast<size_t>(block));
    } else {
      transfers_.receive(to, block, process, kTag);
      transfers_.send(send, own_bytes, process, kTag);
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
    transfers_.send(send, bytes[static_cast<size_t>(rank())], root, kTag);
    transfers_.wait("gather", Patience::Bounded);
    return;
  }
  auto* to = static_cast<std::byte*>(receive);
  for (int process = 0; process < size(); ++process) {
    const int64_t block = bytes[static_cast<size_t>(process)];
    if (process != rank())
      transfers_.receive(to, block, process, kTag);
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
    transfers_.receive(data, bytes, root, kTag);
    transfers_.wait("broadcast", Patience::Unlimited);
    return;
  }
  for (int process = 0; process < size(); ++process)
    if (process != root) transfers_.send(data, bytes, process, kTag);
  transfers_.wait("broadcast", Patience::Bounded);
}

void MpiCommunicator::send(const void* data, int64_t bytes, int to) {
  require_rank(to, size());
  begin();
  transfers_.send(data, bytes, to, kTag);
  transfers_.wait("send", Patience::Bounded);
}

void MpiCommunicator::receive(void* data, int64_t bytes, int from) {
  require_rank(from, size());
  begin();
  transfers_.receive(data, bytes, from, kTag);
  transfers_.wait("receive", Patience::Bounded);
}

void MpiCommunicator::barrier() {
  begin();
  for (int process = 0; process < size(); ++process) {
    if (process == rank()) continue;
    transfers_.receive(nullptr, 0, process, kTag);
    transfers_.send(nullptr, 0, process, kTag);
  }
  transfers_.wait("barrier", Patience::Bounded);
}

void MpiCommunicator::abort(std::string_view why) {
  context_.failure->set(fmt::format("{} gave up: {}", context_.names[static_cast<size_t>(rank())], why));
}

void MpiCommunicator::tick() {
  context_.pulse.adopt_current_thread();
  context_.pulse.tick();
}

void MpiPointToPoint::send(const void* data, int64_t bytes, int to) {
  context_.failure->raise_if_set();
  transfers_.send(data, bytes, context_.process_of(to), tag(rank_, to));
  transfers_.wait("send", Patience::Bounded);
}

void MpiPointToPoint::receive(void* data, int64_t bytes, int from) {
  context_.failure->raise_if_set();
  transfers_.receive(data, bytes, context_.process_of(from), tag(from, rank_));
  transfers_.wait("receive", Patience::Bounded);
}

}  // namespace cleave::comm
