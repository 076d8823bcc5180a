#pragma once

#include "base/json.h"
#include "ckpt/gguf.h"
#include "ckpt/gguf_architectures.h"

namespace cleave::ckpt {

/// The counts that tensor shapes are checked against.
struct ModelSizes {
  int64_t num_layers = 0;
  int64_t num_heads = 0;
  int64_t num_kv_heads = 0;
  int64_t num_experts = 0;  // 0 for a dense model
};

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
