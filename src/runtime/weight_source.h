#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "ckpt/checkpoint.h"
#include "comm/communicator.h"
#include "lower/program.h"
#include "runtime/weight_reader.h"

namespace cleave::runtime {

/// Where a rank has its weights from: the parameters of its program, one after another.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  /// Bytes of all parameters' rows, and of the checkpoint that they are made of.
  virtual int64_t total_bytes() const = 0;
  virtual int64_t stored_bytes() const = 0;
  /// The rows of the next parameter, valid until the next call. Throws Error.
  virtual const WeightRows& next() = 0;
};

/// From the checkpoint's files. Borrows both. Throws as WeightReader does, before anything is read.
std::unique_ptr<WeightSource> weights_from_files(const ckpt::Checkpoint& checkpoint, const lower::Program& program);

/// From rank 0, which has the files; it feeds them at the same time.
std::unique_ptr<WeightSource> weights_from_rank_0(comm::Communicator& communicator);

/// Sends the parameters of programs to the ranks that they are for, which take them from weights_from_rank_0(). All of
/// them get their first parameters first, so that they pack while others receive. REQUIRES: rank 0.
void feed_weights(const ckpt::Checkpoint& checkpoint,
                  const std::vector<std::pair<int, lower::Program>>& programs_by_rank,
                  comm::Communicator& communicator);

}  // namespace cleave::runtime
