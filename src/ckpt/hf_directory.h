#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "ckpt/tensors/tensor.h"
#include "tensor/tensor_table.h"

namespace cleave::ckpt {

/// The weights of a Hugging Face directory.
struct DirectoryWeights {
  std::vector<MappedFile> files;
  NamedTensors tensors;              // borrowed from `files`
  TensorTable unread;                // those of types that are not read
  std::vector<std::string> unfound;  // that the index lists and no shard holds, sorted
};

/// Finds and maps the safetensors files of a directory: model.safetensors alone, else the shards named by
/// model.safetensors.index.json, else every *.safetensors file but those of an adapter; empty where there is none. As
/// Transformers does, all tensors of a shard are taken; where two hold the same one, the index tells which counts.
/// Throws Error where a header is bad, a shard is missing or named by a path, or two files hold the same tensor and no
/// index tells.
DirectoryWeights open_directory_weights(const std::filesystem::path& directory);

/// The files of a directory whose names end in `extension` (".gguf"), sorted. Throws Error(Io) where it cannot be
/// listed.
std::vector<std::filesystem::path> files_with_extension(const std::filesystem::path& directory,
                                                        std::string_view extension);

}  // namespace cleave::ckpt
