#include "ckpt/checkpoint.h"

#include <functional>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/files.h"
#include "ckpt/adapter.h"
#include "ckpt/config.h"
#include "ckpt/gguf/gguf.h"
#include "ckpt/gguf/names.h"
#include "ckpt/gguf/parts.h"
#include "ckpt/hf_directory.h"
#include "ckpt/model_path.h"
#include "ckpt/quantized/join.h"

namespace cleave::ckpt {
namespace fs = std::filesystem;

Checkpoint Checkpoint::open(const fs::path& path) {
  Checkpoint checkpoint;
  checkpoint.path_ = path;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) fail(ErrorKind::NotFound, "no model at {}: expected {}", path.string(), kModelForms);
  if (fs::is_directory(status)) {
    checkpoint.open_directory();
    return checkpoint;
  }
  if (path.extension() == ".json" && !is_part_of_model(path)) {
    checkpoint.config_ = read_config(path);
    checkpoint.directory_ = path.parent_path();
    const bool own_name = path.filename() == "config.json";
    checkpoint.quantization_ = find_quantization(checkpoint.config_, own_name ? checkpoint.directory_ : fs::path(), "");
    return checkpoint;
  }
  MappedFile file(path);
  if (!is_gguf(file.bytes()) && path.extension() != ".gguf") refuse_file(path);
  checkpoint.open_gguf(std::move(file));
  return checkpoint;
}

void Checkpoint::open_directory() {
  directory_ = model_directory(path_);
  const fs::path config = directory_ / "config.json";
  if (!is_there(config)) refuse_directory(directory_);
  config_ = read_config(config);
  const fs::path generation = directory_ / "generation_config.json";
  if (is_there(generation)) generation_config_ = read_config(generation);
  if (const fs::path vocabulary = directory_ / "tokenizer.gguf"; is_there(vocabulary)) {
    vocabulary_.emplace(vocabulary);
    gguf_ = parse_gguf(vocabulary_->bytes(), vocabulary.string()).metadata;
  }
  DirectoryWeights weights = open_directory_weights(directory_);
  if (weights.files.empty() && is_there(directory_ / "adapter_config.json")) refuse_directory(directory_);
  files_ = std::move(weights.files);
  tensors_ = std::move(weights.tensors);
  unread_ = std::move(weights.unread);
  unfound_ = std::move(weights.unfound);
  quantization_ = find_quantization(config_, directory_, packed_tensor(tensors_));
  join_quantized(tensors_, quantization_);
  adapter_ = apply_adapter(directory_, tensors_, files_);
  add_sorted_columns(tensors_);
}

void Checkpoint::open_gguf(MappedFile file) {
  GgufFiles opened = open_gguf_files(std::move(file));
  HuggingFaceView view = to_hugging_face(opened.contents);
  config_ = std::move(view.config);
  generation_config_ = std::move(view.generation_config);
  tensors_ = std::move(view.tensors);
  gguf_ = std::move(opened.contents.metadata);
  files_ = std::move(opened.files);
}

void Checkpoint::require_weights() const {
  if (has_weights()) return;
  fail(ErrorKind::NotFound,
       "{} has no weights: found neither model.safetensors, model.safetensors.index.json nor any *.safetensors{}",
       path_.string(), directory_.empty() ? "" : other_weights_hint(directory_));
}

const Tensor* Checkpoint::find(std::string_view name) const {
  return ckpt::find(tensors_, name);
}

std::vector<std::string> Checkpoint::names() const {
  return names_of(tensors_);
}

TensorTable Checkpoint::table() const {
  TensorTable table = TensorSource::table();
  table.insert(unread_.begin(), unread_.end());
  return table;
}

void Checkpoint::release_all() const {
  for (const MappedFile& file : files_) file.release(file.bytes());
}

void Checkpoint::release(const TensorView& view) const {
  if (view.bytes.empty()) return;
  for (const MappedFile& file : files_) {
    const std::byte* begin = file.bytes().data();
    if (std::less_equal<>()(begin, view.bytes.data()) && std::less<>()(view.bytes.data(), begin + file.bytes().size()))
      file.release(view.bytes);
  }
}

std::vector<std::filesystem::path> Checkpoint::files() const {
  std::vector<std::filesystem::path> paths;
  for (const MappedFile& file : files_) paths.push_back(file.path());
  return paths;
}

int64_t Checkpoint::file_bytes() const {
  int64_t bytes = 0;
  for (const MappedFile& file : files_) bytes += static_cast<int64_t>(file.bytes().size());
  return bytes;
}

}  // namespace cleave::ckpt
