#pragma once

#include <memory>
#include <utility>

#include "comm/communicator.h"

namespace cleave::comm {

/// A rank's end of a group that counts the time its rank spends in collectives, sends and receives, waits for other
/// ranks included. What another one does is passed on unchanged.
class TimedCommunicator final : public Communicator {
 public:
  explicit TimedCommunicator(std::unique_ptr<Communicator> inner) : inner_(std::move(inner)) {}

  /// Since it was made. Groups that split() has made do not count. For the thread that uses the communicator.
  double seconds() const { return seconds_; }

  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  void all_reduce(void* data, int64_t count, DType dtype) override;
  void reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) override;
  void all_gather(const void* send, void* receive, std::span<const int64_t> bytes) override;
  void gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) override;
  void broadcast(void* data, int64_t bytes, int root) override;
  void send(const void* data, int64_t bytes, int to) override;
  void receive(void* data, int64_t bytes, int from) override;
  void barrier() override;
  void abort(std::string_view why) override { inner_->abort(why); }
  void tick() override { inner_->tick(); }
  void watch(std::span<const pid_t> threads) override { inner_->watch(threads); }
  std::unique_ptr<Communicator> split(int color) override { return inner_->split(color); }

 private:
  template <class Call>
  void timed(Call call);

  const std::unique_ptr<Communicator> inner_;
  double seconds_ = 0;
};

}  // namespace cleave::comm
