#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "base/mapped_file.h"
#include "ckpt/tensors/tensor.h"

namespace cleave::ckpt {

/// The weights of a Hugging Face directory.
struct DirectoryWeights {
  std::vector<MappedFile> files;
  NamedTensors tensors;  // borrowed from `files`
};

/// Finds and maps the safetensors files of a directory: model.safetensors alone, else the shards named by
/// model.safetensors.index.json, else every *.safetensors file; empty where there is none. With an index, only tensors
/// that it lists are taken. Throws Error where a header is bad, a shard is missing or named by a path, a listed tensor
/// is not in its shard, or two files without an index hold the same tensor.
DirectoryWeights open_directory_weights(const std::filesystem::path& directory);

/// The files of a directory whose names end in `extension` (".gguf"), sorted. Throws Error(Io) where it cannot be
/// listed.
std::vector<std::filesystem::path> files_with_extension(const std::filesystem::path& directory,
                                                        std::string_view extension);

}  // namespace cleave::ckpt
