#include "engine/inbox.h"

#include <utility>

namespace cleave::engine {

SequenceId Inbox::add(Request request) {
  std::unique_ptr<Sequence> sequence = make_sequence(std::move(request), limits_);
  const SequenceId id = sequence->id = new_id();
  put(Add{std::move(sequence)});
  return id;
}

std::future<void> Inbox::resume(SequenceId id, std::vector<int32_t> tokens, int64_t max_new_tokens) {
  Resume order{id, std::move(tokens), max_new_tokens, {}};
  std::future<void> done = order.done.get_future();
  put(std::move(order));
  return done;
}

void Inbox::stop(SequenceId id) {
  put(Stop{id});
}

void Inbox::release(SequenceId id) {
  put(Release{id});
}

bool Inbox::wait(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  return filled_.wait(lock, stop, [&] { return !orders_.empty(); });
}

SequenceId Inbox::new_id() {
  const std::lock_guard lock(mutex_);
  return next_id_++;
}

void Inbox::take(std::vector<Order>& orders) {
  orders.clear();
  const std::lock_guard lock(mutex_);
  orders.swap(orders_);
}

void Inbox::put(Order order) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(order));
  }
  filled_.notify_all();
}

}  // namespace cleave::engine
