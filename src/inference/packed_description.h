#pragma once

#include <filesystem>
#include <string>

#include "inference/model_message.h"

namespace cleave::inference {

/// What the description of a packed model (packed_model.h) says.
struct PackedModel {
  std::filesystem::path directory;
  std::string model;     // runtime::PackedParts::model
  int ranks = 1;         // that it was packed for
  ModelMessage message;  // with the split and precision that it was packed with
};

}  // namespace cleave::inference
