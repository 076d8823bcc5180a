#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "comm/communicator.h"
#include "runtime/command.h"
#include "runtime/device/device.h"
#include "runtime/load_board.h"
#include "runtime/rank_loader.h"

namespace cleave::runtime {

/// One rank of this process: its device, and its parts of the models that its group holds. Used by the thread that has
/// made it, as are the models: their memory lies where that thread runs.
class Rank {
 public:
  /// Makes a CPU device of `num_threads` threads, bound to `cpus` unless there are none; the calling thread is the
  /// first of them. Borrows the communicator. `index`: among the ranks of this process.
  Rank(comm::Communicator& communicator, size_t index, int num_threads, std::span<const int> cpus);

  CommandChannel& commands() { return commands_; }
  Device& device() { return *device_; }

  /// Loads this rank's part of a model, together with all other ranks. Gives the reason where one of them cannot, an
  /// error on every rank: the model does not exist then. Throws Error, after which the group is of no use.
  std::optional<Error> load(int32_t model, const LoadJob& job);
  /// As DeviceModel::step(). REQUIRES: a command Step.
  StepOutput step(const Command& command);
  /// As DeviceModel::logits(). REQUIRES: a command Logits.
  std::span<const RowLogits> logits(const Command& command);
  /// Gives the memory of a model back; returns when all ranks have.
  void unload(int32_t model);
  /// The same of this rank alone, in a group that has failed.
  void drop(int32_t model);

  /// REQUIRES: the model is loaded.
  LoadedPart& part(int32_t model) const;
  /// The smallest number that no model has.
  int32_t free_number() const;

 private:
  comm::Communicator& communicator_;
  const size_t index_;
  std::unique_ptr<Device> device_;
  CommandChannel commands_;
  std::vector<std::unique_ptr<LoadedPart>> parts_;  // by number of the model; null: none
};

}  // namespace cleave::runtime
