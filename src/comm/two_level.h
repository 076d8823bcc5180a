#pragma once

#include <memory>
#include <vector>

#include "base/buffer.h"
#include "comm/communicator.h"
#include "comm/links.h"

namespace cleave::comm {

/// Which ranks of which processes are in a group.
struct TwoLevelGroup {
  std::vector<int> ranks = {};  // their numbers among all ranks of the run, ascending: process by process
  std::vector<int> first_ranks =
      {};           // [processes + 1]: place in `ranks` of each process's first one, then their number
  int process = 0;  // this process, among those of the group
  int number = 0;   // of the group: see Links

  int num_processes() const { return static_cast<int>(first_ranks.size()) - 1; }
  /// The rank of each process that takes part between processes: its first one.
  std::vector<int> leaders() const;
};

/// Ranks that are threads of several processes. A collective first combines the ranks of each process, then the
/// processes, between their leaders (each one's first rank), then hands the result down. Ranks number those of the
/// first process first, then those of the next one, and so on. All levels share one Failure.
class TwoLevelCommunicator final : public Communicator {
 public:
  /// `local` connects the ranks of this process, `links` this rank with those of others.
  TwoLevelCommunicator(std::unique_ptr<Communicator> local, std::shared_ptr<Links> links, TwoLevelGroup group);

  int rank() const override { return first_rank() + local_->rank(); }
  int size() const override { return group_.first_ranks.back(); }
  void all_reduce(void* data, int64_t count, DType dtype) override;
  void reduce_scatter(const void* send, void* receive, std::span<const int64_t> counts, DType dtype) override;
  void all_gather(const void* send, void* receive, std::span<const int64_t> bytes) override;
  void gather(const void* send, void* receive, std::span<const int64_t> bytes, int root) override;
  void broadcast(void* data, int64_t bytes, int root) override;
  void send(const void* data, int64_t bytes, int to) override;
  void receive(void* data, int64_t bytes, int from) override;
  void barrier() override;
  void abort(std::string_view why) override { local_->abort(why); }
  void tick() override { local_->tick(); }
  void watch(std::span<const pid_t> threads) override { local_->watch(threads); }
  std::unique_ptr<Communicator> split(int color) override;

 private:
  int first_rank() const { return group_.first_ranks[static_cast<size_t>(group_.process)]; }
  int process_of(int rank) const;
  bool is_local(int rank) const { return process_of(rank) == group_.process; }
  bool is_leader() const { return between_ != nullptr; }
  TwoLevelGroup part_of(std::span<const int> members, int number) const;
  std::byte* reserve(int64_t bytes);
  std::span<const int64_t> local_blocks(std::span<const int64_t> blocks) const;
  std::span<const int64_t> sums_by_process(std::span<const int64_t> blocks);

  std::unique_ptr<Communicator> local_;
  std::shared_ptr<Links> links_;
  TwoLevelGroup group_;
  std::unique_ptr<Communicator> between_;  // the leaders, on the leader only
  std::unique_ptr<PointToPoint> direct_;
  Buffer scratch_;
  std::vector<int64_t> process_blocks_;  // [processes]: reused by gathers
};

}  // namespace cleave::comm
