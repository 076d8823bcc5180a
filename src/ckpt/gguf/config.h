#pragma once

#include "base/json.h"
#include "ckpt/gguf/architectures.h"
#include "ckpt/gguf/forms.h"
#include "ckpt/gguf/gguf.h"

namespace cleave::ckpt {

/// A config, and the counts in it that readers of tensors need.
struct GgufConfig {
  Json config;
  ModelSizes sizes;
};

/// The metadata of a GGUF file as Hugging Face's config.json would have it, spelt as Transformers 4 does. Vocabulary
/// size and the presence of biases and of a separate head are taken from the tensors. Throws Error(Corrupt) where a
/// required key is absent or contradicts another; Error(Unsupported) for what Hugging Face's config cannot say.
GgufConfig make_config(const GgufContents& contents, const GgufArchitecture& architecture);

/// Beginning and end of text, as generation_config.json has them.
Json make_generation_config(const GgufMetadata& metadata);

}  // namespace cleave::ckpt
