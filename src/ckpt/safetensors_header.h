#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// A tensor as the header of a safetensors file describes it. Types are right; nothing is checked against the file yet.
struct HeaderEntry {
  std::string name;
  DType dtype = DType::F32;
  Shape shape;
  uint64_t begin = 0;  // byte offsets in the data section
  uint64_t end = 0;
  std::string unread_type = {};  // the type's name where Cleave does not read it, and dtype means nothing
};

/// The header of a safetensors file. Names may still repeat.
struct SafetensorsHeader {
  std::vector<HeaderEntry> entries;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// Parses the JSON of a safetensors header in one pass and with memory proportional to it. `file` names it in errors.
/// Throws Error(Corrupt) where the text is no JSON or no safetensors header.
SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file);

}  // namespace cleave::ckpt
