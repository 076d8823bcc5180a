#include "ckpt/hf_directory.h"

#include <algorithm>
#include <map>
#include <set>
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

// Tensor -> the shard that holds it.
using WeightMap = std::map<std::string, std::string, std::less<>>;

bool is_taken(const std::string& name, const DirectoryWeights& weights) {
  return weights.tensors.contains(name) || weights.unread.contains(name);
}

// Adds the named tensor where the file has it.
void take(const std::string& name, const SafetensorsContents& file, DirectoryWeights& weights) {
  if (const auto found = file.tensors.find(name); found != file.tensors.end())
    weights.tensors.emplace(name, Tensor{found->second});
  if (const auto found = file.unread.find(name); found != file.unread.end()) weights.unread.emplace(*found);
}

std::vector<std::string> names_in(const SafetensorsContents& file) {
  std::vector<std::string> names;
  for (const auto& [name, view] : file.tensors) names.push_back(name);
  for (const auto& [name, info] : file.unread) names.push_back(name);
  return names;
}

SafetensorsContents open_file(const fs::path& path, DirectoryWeights& weights) {
  return parse_safetensors(weights.files.emplace_back(path).bytes(), path.string());
}

// Adds all tensors of a file but `placed` ones. No other may be there already.
void add_file(const fs::path& path, const SafetensorsContents& file, const std::set<std::string>& placed,
              DirectoryWeights& weights) {
  for (const std::string& name : names_in(file)) {
    if (placed.contains(name)) continue;
    if (is_taken(name, weights))
      fail(ErrorKind::Corrupt,
           "{}: tensor {} is also in another *.safetensors file of the directory, and no index "
           "tells which counts",
           path.string(), in_quotes(name));
    take(name, file, weights);
  }
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
    map.emplace(tensor, name);
  }
  return map;
}

void check_shards(const fs::path& index, const std::map<std::string, std::vector<std::string>>& shards) {
  for (const auto& [shard, tensors] : shards)
    if (!is_there(index.parent_path() / shard))
      fail(ErrorKind::NotFound, "{} lists shard {}, which is missing: it holds {} tensors, {} among them",
           index.string(), in_quotes(shard), tensors.size(), in_quotes(tensors.front()));
}

// Adds all shards that the index names: first what it places rightly, then the rest of each.
void add_shards(const fs::path& index_path, DirectoryWeights& weights) {
  const WeightMap index = read_index(index_path);
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, shard] : index) shards[shard].push_back(tensor);
  check_shards(index_path, shards);
  std::vector<SafetensorsContents> files;
  std::set<std::string> placed;
  for (const auto& [shard, tensors] : shards) {
    files.push_back(open_file(index_path.parent_path() / shard, weights));
    for (const std::string& name : tensors) take(name, files.back(), weights);
  }
  for (const auto& [tensor, shard] : index)
    if (is_taken(tensor, weights)) placed.insert(tensor);
  auto file = files.begin();
  for (const auto& [shard, tensors] : shards) add_file(index_path.parent_path() / shard, *file++, placed, weights);
  for (const auto& [tensor, shard] : index)
    if (!is_taken(tensor, weights)) weights.unfound.push_back(tensor);
}

// The weights of an adapter (PEFT) lie beside those of a model and are none.
bool is_of_adapter(const fs::path& path) {
  return path.filename() == "adapter_model.safetensors";
}

}  // namespace

DirectoryWeights open_directory_weights(const fs::path& directory) {
  DirectoryWeights weights;
  const fs::path whole = directory / "model.safetensors";
  const fs::path index = directory / "model.safetensors.index.json";
  if (is_there(whole)) {
    add_file(whole, open_file(whole, weights), {}, weights);
  } else if (is_there(index)) {
    add_shards(index, weights);
  } else {
    for (const fs::path& path : files_with_extension(directory, ".safetensors"))
      if (!is_of_adapter(path)) add_file(path, open_file(path, weights), {}, weights);
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
