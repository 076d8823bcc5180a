#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "ckpt/gguf/gguf.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// A GGUF file as Hugging Face would have saved the model.
struct HuggingFaceView {
  Json config;
  Json generation_config;
  NamedTensors tensors;  // borrowed from the file's bytes
};

/// Names tensors and spells metadata as Hugging Face does. Throws Error(InvalidArgument) for a file that holds no
/// language model, saying what it holds; Error(Unsupported) for an architecture that is not in the table, or a tensor
/// that the architecture does not have in the table; Error(Corrupt) where metadata and shapes contradict each other.
HuggingFaceView to_hugging_face(const GgufContents& contents);

}  // namespace cleave::ckpt
