#pragma once

#include <memory>
#include <vector>

#include "ckpt/tensor_source.h"
#include "comm/communicator.h"
#include "lower/program.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

/// Rank 0's end of the transfer of weights to ranks that have no files of the model. The other end is
/// weights_from_rank_0().
class WeightFeed {
 public:
  explicit WeightFeed(comm::Communicator& communicator) : communicator_(communicator) {}

  /// Adds a rank and what it is to get. Borrows the tensors. Sends nothing yet; throws as weights_from_files() does.
  void add(int rank, const ckpt::TensorSource& tensors, std::vector<lower::Parameter> parameters);
  /// Sends the layouts of all rows, and says how much they were made of. Once.
  void announce();
  /// Sends all rows: the first parameters of all ranks first, so that they pack while others receive. Once, after
  /// announce().
  void send();

 private:
  struct Receiver {
    int rank;
    std::vector<lower::Parameter> parameters;  // that `source` borrows
    std::unique_ptr<WeightSource> source;
  };

  comm::Communicator& communicator_;
  std::vector<Receiver> receivers_;
};

/// The weights that rank 0 sends this rank, which receives their layouts at once: rank 0 calls WeightFeed::announce().
/// Borrows the communicator.
std::unique_ptr<WeightSource> weights_from_rank_0(comm::Communicator& communicator);

}  // namespace cleave::runtime
