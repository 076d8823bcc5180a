#pragma once

#include <map>
#include <string>

#include "define/definitions.h"
#include "inference/group.h"
#include "inference/split.h"
#include "tensor/tensor_table.h"

namespace cleave::inference {

/// All that a process needs to make the same plan and programs as rank 0, without a file of the model: rank 0 sends it
/// to every other process.
struct ModelMessage {
  Json config;
  define::Definition definition;  // that serves it
  TensorTable tensors;
  PlanInputs plan;
  runtime::Options options;
};

/// Sends the message to the other processes, and hears which of them have no files of the model: gives the ranks there.
/// REQUIRES: group.leads().
std::vector<int> send_model(const ModelMessage& message, Group& group);

/// REQUIRES: not group.leads().
ModelMessage receive_model(Group& group);
/// Tells rank 0 whether this process has the files.
void answer_model(bool has_files, Group& group);

}  // namespace cleave::inference
