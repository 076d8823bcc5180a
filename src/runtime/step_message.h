#pragma once

#include <optional>

#include "comm/communicator.h"
#include "runtime/device/step.h"

namespace cleave::runtime {

/// Steps on their way from rank 0 to all others: one small broadcast, and a second one where a step does not fit into
/// it. Memory is used again from step to step.
class StepMessage {
 public:
  explicit StepMessage(comm::Communicator& communicator);

  /// REQUIRES: rank 0.
  void send(const StepInput& input);
  /// Tells the others that no step will follow. REQUIRES: rank 0.
  void send_end();

  /// The next step, valid until the next call; nothing where none will follow. REQUIRES: not rank 0.
  std::optional<StepInput> receive();

 private:
  void exchange();

  comm::Communicator& communicator_;
  std::vector<int32_t> words_;  // the message
  std::vector<SequenceStep> sequences_;
};

}  // namespace cleave::runtime
