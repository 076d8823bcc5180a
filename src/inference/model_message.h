#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "define/definitions.h"
#include "inference/split.h"
#include "runtime/device/options.h"
#include "runtime/model_source.h"
#include "tensor/tensor_table.h"

namespace cleave::inference {

/// All that a process needs to make the same plan and programs as rank 0, without a file of the model: rank 0 sends it
/// to every other process.
struct ModelMessage {
  std::filesystem::path path;  // where rank 0 has the files
  Json config;
  define::Definition definition;  // that serves it
  TensorTable tensors;
  PlanInputs plan;
  runtime::Options options;
  std::optional<runtime::PackedParts> packed = {}, save = {};  // runtime::ModelSource
};

/// The message as it is sent, and back. Throws Error(Comm) for a text that another version of Cleave has made.
std::string to_text(const ModelMessage& message);
ModelMessage parse_model_message(std::string_view text);

}  // namespace cleave::inference
