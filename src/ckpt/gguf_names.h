#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "ckpt/gguf.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// A GGUF file as Hugging Face would have saved the model.
struct HuggingFaceView {
  Json config;
  Json generation_config;
  NamedTensors tensors;  // borrowed from the file's bytes
};

/// Names tensors and spells metadata as Hugging Face does. Throws Error(Unsupported) for an architecture that is not in
/// the table, one whose GGUF stores weights in a form that no view can undo, or a tensor that the architecture does not
/// have in the table; Error(Corrupt) where metadata and shapes contradict each other.
HuggingFaceView to_hugging_face(const GgufContents& contents);

/// The values of general.architecture that are read, sorted.
std::vector<std::string> gguf_architectures();

}  // namespace cleave::ckpt
