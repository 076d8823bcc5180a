#include "comm/timed_communicator.h"

#include <chrono>

namespace cleave::comm {

// Two readings of the clock are 50 ns beside exchanges of microseconds.
template <class Call>
void TimedCommunicator::timed(Call call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void TimedCommunicator::all_reduce(void* data, int64_t count, DType dtype) {
  timed([&] { inner_->all_reduce(data, count, dtype); });
}

void TimedCommunicator::reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) {
  timed([&] { inner_->reduce_scatter(send, receive, counts, dtype); });
}

void TimedCommunicator::all_gather(const void* send, void* receive, std::span<const int64_t> bytes) {
  timed([&] { inner_->all_gather(send, receive, bytes); });
}

void TimedCommunicator::gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) {
  timed([&] { inner_->gather(send, receive, bytes, root); });
}

void TimedCommunicator::broadcast(void* data, int64_t bytes, int root) {
  timed([&] { inner_->broadcast(data, bytes, root); });
}

void TimedCommunicator::send(const void* data, int64_t bytes, int to) {
  timed([&] { inner_->send(data, bytes, to); });
}

void TimedCommunicator::receive(void* data, int64_t bytes, int from) {
  timed([&] { inner_->receive(data, bytes, from); });
}

void TimedCommunicator::barrier() {
  timed([&] { inner_->barrier(); });
}

}  // namespace cleave::comm
