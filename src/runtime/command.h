#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "comm/communicator.h"
#include "runtime/device/step.h"

namespace cleave::runtime {

/// An instruction of rank 0 to all ranks.
struct Command {
  enum class Kind : uint8_t {
    Load,    // make your part of a model, which is `model` from then on
    Step,    // compute `input` with a program of it
    Logits,  // give all logits of rows of that step, `input.output_rows`
    Work,    // do tasks of the host with the other ranks of your process (shared_work.h); nothing in other processes
    Unload,  // give its memory back
    End,     // nothing more will come
  } kind = Kind::End;
  int32_t model = 0;    // number of a model within its group
  int32_t program = 0;  // of Step and Logits: output of the model's graph
  StepInput input = {};
  std::string_view description = {};  // of Load: what other processes are told of the model; may be empty
};

/// Commands on their way from rank 0 to all others: one small broadcast, and a second one where a step or a description
/// does not fit into it. Memory is used again from command to command.
class CommandChannel {
 public:
  /// Borrows the communicator.
  explicit CommandChannel(comm::Communicator& communicator);

  /// REQUIRES: rank 0.
  void send(const Command& command);

  /// The next command, whose views are valid until the next call. REQUIRES: not rank 0.
  Command receive();

 private:
  void broadcast();
  void append(const StepInput& input);
  StepInput read_step();

  comm::Communicator& communicator_;
  std::vector<int32_t> words_;  // the message
  std::vector<SequenceStep> sequences_;
  std::vector<LogitsWish> wishes_;
};

}  // namespace cleave::runtime
