#pragma once

#include <memory>
#include <vector>

#include "comm/links.h"
#include "comm/mpi/mpi_transfers.h"

namespace cleave::comm {

/// Connects one rank of this process with others through MPI.
class MpiLinks final : public Links {
 public:
  /// The context outlives the object and everything that it makes.
  MpiLinks(MpiContext& context, int rank) : context_(context), rank_(rank) {}

  MpiContext& context() { return context_; }
  int rank() const { return rank_; }
  std::unique_ptr<Communicator> collectives(std::vector<int> ranks, int group) override;
  std::unique_ptr<PointToPoint> transfers(std::vector<int> ranks, int group) override;

 private:
  MpiContext& context_;
  int rank_;
};

}  // namespace cleave::comm
