#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "tensor/tensor_table.h"
#include "tensor/tensor_view.h"

namespace cleave::ckpt {

/// Tensors by name, sorted.
using TensorMap = std::map<std::string, TensorView, std::less<>>;

/// What a safetensors file holds. The views borrow from the file's bytes, which are not aligned.
struct SafetensorsContents {
  TensorMap tensors;
  TensorTable unread;                                        // those of types that Cleave does not read
  std::map<std::string, std::string, std::less<>> metadata;  // "__metadata__"
};

/// Reads the header of an untrusted safetensors file (https://github.com/huggingface/safetensors, "Format"): eight
/// bytes of header length, a JSON object, then the data. `file` names it in errors. Throws Error(Corrupt) where the
/// header does not fit the bytes, or tensors overlap. Gaps between tensors are allowed.
SafetensorsContents parse_safetensors(std::span<const std::byte> bytes, const std::string& file);

/// A mapped safetensors file. Movable; views live as long as it does. Thread-safe.
class SafetensorsFile {
 public:
  /// Throws Error like MappedFile and parse_safetensors.
  explicit SafetensorsFile(const std::filesystem::path& path);

  /// nullptr where there is no such tensor.
  const TensorView* find(std::string_view name) const;
  const TensorMap& tensors() const { return contents_.tensors; }
  const SafetensorsContents& contents() const { return contents_; }
  const MappedFile& file() const { return file_; }

 private:
  MappedFile file_;
  SafetensorsContents contents_;
};

}  // namespace cleave::ckpt
