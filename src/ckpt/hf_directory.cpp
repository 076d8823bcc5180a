#include "ckpt/hf_directory.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/untrusted_text.h"
#include "ckpt/config.h"
#include "ckpt/safetensors.h"

namespace cleave::ckpt {
namespace {

namespace fs = std::filesystem;

// Shard file name -> tensors that it must hold.
using WeightMap = std::map<std::string, std::vector<std::string>>;

// Opens the file and adds all its tensors.
void add_file(const fs::path& path, DirectoryWeights& weights) {
  const MappedFile& file = weights.files.emplace_back(path);
  const SafetensorsContents contents = parse_safetensors(file.bytes(), path.string());
  for (const auto& [name, view] : contents.tensors)
    if (!weights.tensors.emplace(name, Tensor{view}).second)
      fail(ErrorKind::Corrupt,
           "{}: tensor {} is also in another *.safetensors file of the directory, which has no index", path.string(),
           in_quotes(name));
}

WeightMap read_index(const fs::path& path) {
  const Json index = read_json(path);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object())
    fail(ErrorKind::Corrupt, "{}: has no object \"weight_map\"", path.string());
  WeightMap map;
  for (const auto& [tensor, shard] : index["weight_map"].items()) {
    if (!shard.is_string())
      fail(ErrorKind::Corrupt, "{}: tensor {} is mapped to no file name", path.string(), in_quotes(tensor));
    const std::string name = shard.get<std::string>();
    if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string::npos ||
        name.find('/') != std::string::npos)
      fail(ErrorKind::Corrupt, "{}: tensor {} is mapped to {}, expected the name of a file in the same directory",
           path.string(), in_quotes(tensor), in_quotes(name));
    map[name].push_back(tensor);
  }
  return map;
}

void add_shard(const fs::path& index, const std::string& shard, const std::vector<std::string>& tensors,
               DirectoryWeights& weights) {
  const fs::path path = index.parent_path() / shard;
  if (!is_there(path))
    fail(ErrorKind::NotFound, "{} lists shard {}, which is missing: it holds {} tensors, {} among them", index.string(),
         in_quotes(shard), tensors.size(), in_quotes(tensors.front()));
  const MappedFile& file = weights.files.emplace_back(path);
  const SafetensorsContents contents = parse_safetensors(file.bytes(), path.string());
  for (const std::string& name : tensors) {
    const auto found = contents.tensors.find(name);
    if (found == contents.tensors.end())
      fail(ErrorKind::Corrupt, "{}: has no tensor {}, which {} says it holds", path.string(), in_quotes(name),
           index.filename().string());
    weights.tensors.emplace(name, Tensor{found->second});
  }
}

}  // namespace

DirectoryWeights open_directory_weights(const fs::path& directory) {
  DirectoryWeights weights;
  const fs::path index = directory / "model.safetensors.index.json";
  if (is_there(directory / "model.safetensors")) {
    add_file(directory / "model.safetensors", weights);
  } else if (is_there(index)) {
    for (const auto& [shard, tensors] : read_index(index)) add_shard(index, shard, tensors, weights);
  } else {
    for (const fs::path& path : files_with_extension(directory, ".safetensors")) add_file(path, weights);
  }
  return weights;
}

std::vector<fs::path> files_with_extension(const fs::path& directory, std::string_view extension) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    if (entry->path().extension() == extension) paths.push_back(entry->path());
  if (error) fail(ErrorKind::Io, "cannot list {}: {}", directory.string(), error.message());
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace cleave::ckpt
