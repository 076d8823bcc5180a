#pragma once

#include "ckpt/gguf/gguf.h"

namespace cleave::ckpt {

/// Throws Error(InvalidArgument), which says what the file holds and what is wanted instead, unless it can be a
/// language model: adapters, projectors, importance matrices, control vectors, vocabularies, encoders and image models
/// are GGUF files, too.
void check_is_model(const GgufContents& contents);

}  // namespace cleave::ckpt
