#pragma once

#include "base/buffer.h"
#include "comm/mpi/mpi_links.h"

namespace cleave::comm {

/// Collectives between single ranks of processes. Sums are taken here and not by MPI, whose order may differ between
/// ranks and between releases.
class MpiCommunicator final : public Communicator {
 public:
  /// `members` are the group's ranks, by their numbers in the whole run; `links` is one of them.
  MpiCommunicator(std::shared_ptr<MpiLinks> links, std::vector<int> members, int group);

  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(members_.size()); }
  void all_reduce(void* data, int64_t count, DType dtype) override;
  void reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) override;
  void all_gather(const void* send, void* receive, std::span<const int64_t> bytes) override;
  void gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) override;
  void broadcast(void* data, int64_t bytes, int root) override;
  void send(const void* data, int64_t bytes, int to) override;
  void receive(void* data, int64_t bytes, int from) override;
  void barrier() override;
  void abort(std::string_view why) override;
  void tick() override;
  void watch(std::span<const pid_t> threads) override { pulse().set_helpers(threads); }
  std::unique_ptr<Communicator> split(int color) override;

 private:
  MpiContext& context() const { return links_->context(); }
  Pulse& pulse() const { return context().pulse_of(links_->rank()); }
  int member(int rank) const { return members_[static_cast<size_t>(rank)]; }
  void begin();
  float* reserve(int64_t bytes);
  void reduce_to(const float* own, int64_t own_offset, int64_t count, float* out);
  void exchange_blocks(const char* name, const void* send, void* receive, std::span<const int64_t> bytes);

  std::shared_ptr<MpiLinks> links_;
  std::vector<int> members_;
  int rank_;  // place among the members
  MpiTransfers transfers_;
  Buffer scratch_;                     // what other processes have sent to be summed
  std::vector<const float*> sources_;  // of a sum
  std::vector<int64_t> slices_;        // of an all-reduce in slices
};

/// Transfers between a rank and ranks of other processes.
class MpiPointToPoint final : public PointToPoint {
 public:
  /// `members` as in MpiCommunicator.
  MpiPointToPoint(std::shared_ptr<MpiLinks> links, std::vector<int> members, int group);
  void send(const void* data, int64_t bytes, int to) override;
  void receive(void* data, int64_t bytes, int from) override;

 private:
  std::shared_ptr<MpiLinks> links_;
  std::vector<int> members_;
  MpiTransfers transfers_;
};

}  // namespace cleave::comm
