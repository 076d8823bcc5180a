#pragma once

#include <string>

#include "ckpt/gguf/metadata.h"

namespace cleave::ckpt {

/// A GGUF file (version 3, little-endian; specification: docs/gguf.md of ggml) of this metadata without any tensor, as
/// vocabularies are passed on.
std::string metadata_to_gguf(const GgufMetadata& metadata);

}  // namespace cleave::ckpt
