#pragma once

#include <memory>
#include <vector>

#include "base/buffer.h"
#include "comm/communicator.h"

namespace cleave::comm {

/// Ranks that are threads of several processes. A collective first combines the ranks of each process, then the
/// processes, between their leaders (each one's first rank), then hands the result down. Global ranks number those of
/// process 0 first, then those of process 1, and so on. All levels share one Failure.
class TwoLevelCommunicator final : public Communicator {
 public:
  /// `local` connects the ranks of this process; `between`, on the leader only, the processes; `direct` sends to and
  /// receives from global ranks of other processes. `first_ranks` is the global rank of each process's first rank, and
  /// at last their number.
  TwoLevelCommunicator(std::unique_ptr<Communicator> local, std::unique_ptr<Communicator> between,
                       std::unique_ptr<PointToPoint> direct, std::vector<int> first_ranks, int process);

  int rank() const override { return first_rank() + local_->rank(); }
  int size() const override { return first_ranks_.back(); }
  void all_reduce(void* data, int64_t count, DType dtype) override;
  void reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) override;
  void all_gather(const void* send, void* receive, std::span<const int64_t> bytes) override;
  void gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) override;
  void broadcast(void* data, int64_t bytes, int root) override;
  void send(const void* data, int64_t bytes, int to) override;
  void receive(void* data, int64_t bytes, int from) override;
  void barrier() override;
  void abort(std::string_view why) override { local_->abort(why); }
  void tick() override;
  void watch(ThreadPool& pool) override;

 private:
  int first_rank() const { return first_ranks_[static_cast<size_t>(process_)]; }
  int process_of(int rank) const;
  bool is_local(int rank) const { return process_of(rank) == process_; }
  bool is_leader() const { return between_ != nullptr; }
  std::byte* reserve(int64_t bytes);
  std::span<const int64_t> local_blocks(std::span<const int64_t> blocks) const;
  std::span<const int64_t> sums_by_process(std::span<const int64_t> blocks);

  std::unique_ptr<Communicator> local_, between_;
  std::unique_ptr<PointToPoint> direct_;
  std::vector<int> first_ranks_;  // [processes + 1]
  int process_;
  Buffer scratch_;
  std::vector<int64_t> process_blocks_;  // [processes]: reused by gathers
};

}  // namespace cleave::comm
