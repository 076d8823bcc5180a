#pragma once

#include "base/buffer.h"
#include "comm/mpi_link.h"

namespace cleave::comm {

/// Collectives between processes, whose numbers are the ranks here. Sums are taken here and not by MPI, whose order may
/// differ between ranks and between releases.
class MpiCommunicator final : public Communicator {
 public:
  /// The context and the MPI communicator outlive the object.
  MpiCommunicator(MpiContext& context, MPI_Comm communicator) : context_(context), transfers_(context, communicator) {}

  int rank() const override { return context_.process; }
  int size() const override { return context_.num_processes; }
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
  void watch(ThreadPool& pool) override { watch_workers(pool, context_.pulse); }

 private:
  void begin();
  float* reserve(int64_t bytes);
  void reduce_to(const float* own, int64_t own_offset, int64_t count, float* out);
  void exchange_blocks(const char* name, const void* send, void* receive, std::span<const int64_t> bytes);

  MpiContext& context_;
  MpiTransfers transfers_;
  Buffer scratch_;                     // what other processes have sent to be summed
  std::vector<const float*> sources_;  // of a sum
  std::vector<int64_t> slices_;        // of an all-reduce in slices
};

/// Transfers between single ranks of different processes; one object for each local rank, used by its thread.
class MpiPointToPoint final : public PointToPoint {
 public:
  MpiPointToPoint(MpiContext& context, MPI_Comm communicator, int rank)
      : context_(context), transfers_(context, communicator), rank_(rank) {}
  void send(const void* data, int64_t bytes, int to) override;
  void receive(void* data, int64_t bytes, int from) override;

 private:
  // Tells apart the pairs of ranks that lie in the same pair of processes.
  int tag(int from, int to) const { return from * context_.num_ranks() + to; }

  MpiContext& context_;
  MpiTransfers transfers_;
  int rank_;
};

}  // namespace cleave::comm
