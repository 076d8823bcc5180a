#pragma once

#include <map>
#include <span>
#include <string>

#include "ckpt/gguf/metadata.h"
#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// What a GGUF file holds: tensors under GGML's names, shapes outermost first (the file has them innermost first).
/// Borrows from the file's bytes.
struct GgufContents {
  GgufMetadata metadata;
  std::map<std::string, TensorView, std::less<>> tensors;
};

/// True where the bytes begin with the magic number of GGUF.
bool is_gguf(std::span<const std::byte> bytes);

/// Reads the header of an untrusted GGUF file of version 2 or 3 (specification: docs/gguf.md of ggml). `file` names it
/// in errors. Throws Error(Corrupt) where something does not fit the bytes, is named twice or overlaps;
/// Error(Unsupported) for version 1, big-endian files, and element types that Cleave does not know. A part of a split
/// model is read alone (parts.h has the others). Memory used is proportional to the bytes read: every count is
/// checked against what remains of the file first.
GgufContents parse_gguf(std::span<const std::byte> bytes, const std::string& file);

}  // namespace cleave::ckpt
