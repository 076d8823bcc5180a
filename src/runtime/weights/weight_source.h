#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "ckpt/tensor_source.h"
#include "comm/communicator.h"
#include "lower/program.h"
#include "runtime/device/options.h"
#include "runtime/device/weight_rows.h"

namespace cleave::runtime {

/// A source that reads stored tensors, to be packed as the options say. Borrows tensors and parameters. Throws as
/// WeightReader does, before anything is read.
std::unique_ptr<WeightSource> weights_from_files(const ckpt::TensorSource& tensors,
                                                 std::span<const lower::Parameter> parameters, const Options& options);

/// From rank 0, whose WeightFeed has begun.
std::unique_ptr<WeightSource> weights_from_rank_0(comm::Communicator& communicator);

/// Rank 0's side of weights_from_rank_0(): the parameters of the ranks that have no files. Borrows the
/// tensors.
class WeightFeed {
 public:
  /// Sends how much there is to come.
  WeightFeed(const ckpt::TensorSource& tensors,
             std::vector<std::pair<int, std::vector<lower::Parameter>>> parameters_by_rank, const Options& options,
             comm::Communicator& communicator);
  /// Sends everything: the first parameters of all ranks first, so that they pack while others receive. Once.
  void send();

 private:
  std::vector<std::pair<int, std::vector<lower::Parameter>>> parameters_by_rank_;
  std::vector<std::unique_ptr<WeightSource>> sources_;
  comm::Communicator& communicator_;
};

}  // namespace cleave::runtime
