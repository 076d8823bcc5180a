#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/mapped_file.h"
#include "ckpt/gguf/metadata.h"
#include "ckpt/quantized/quantization.h"
#include "ckpt/tensor_source.h"

namespace cleave::ckpt {

/// A model on disk, in Hugging Face's terms whatever its format: a config, and tensors by name. Files are mapped, never
/// copied, and their headers are untrusted: whatever does not fit is an Error that names file, tensor and value.
///
/// Thread-safe after construction. Movable; views and metadata live as long as the checkpoint, moved or not.
class Checkpoint final : public TensorSource {
 public:
  /// Opens a model by its path, which is one of
  /// - a directory with config.json and weights: model.safetensors alone where there is one; otherwise the shards that
  ///   model.safetensors.index.json lists; otherwise all *.safetensors files together. A directory with config.json and
  ///   none of them opens as one without weights. An adapter beside the weights is applied to them (adapter.h);
  /// - a model's folder in the cache of Hugging Face's hub, which stands for its snapshot (model_directory());
  /// - a GGUF file, or a part of one that is split;
  /// - a config.json, to plan without weights.
  /// Throws Error: NotFound, Corrupt, Unsupported, Io; InvalidArgument for any other file.
  static Checkpoint open(const std::filesystem::path& path);

  /// False where only a config was found. Nothing is found then, and require_weights throws.
  bool has_weights() const { return !files_.empty(); }

  /// Throws Error(NotFound), saying where weights were looked for, unless has_weights(). To be called before loading.
  void require_weights() const;

  /// Hugging Face's config: config.json as it is on disk (with {"__float__": ...} objects turned into numbers), or made
  /// from the metadata of a GGUF file. Always an object.
  const Json& config() const { return config_; }

  /// generation_config.json; {} where absent.
  const Json& generation_config() const { return generation_config_; }

  /// How its weights are quantised, as the configuration says. Tensors are joined already.
  const Quantization& quantization() const { return quantization_; }

  const Tensor* find(std::string_view name) const override;
  std::vector<std::string> names() const override;
  TensorTable table() const override;
  void release(const TensorView& view) const override;
  void release_all() const override;

  /// Tensors that the index of a directory lists and no shard holds, sorted.
  const std::vector<std::string>& unfound() const { return unfound_; }

  /// What an adapter beside the model has changed, in words (adapter.h); "" where there is none.
  const std::string& adapter() const { return adapter_; }

  /// The files with weights, and their sizes together.
  std::vector<std::filesystem::path> files() const;
  int64_t file_bytes() const;

  /// Where config.json, tokenizer.json and their like are; empty for a GGUF file, which holds its own.
  std::filesystem::path directory() const { return directory_; }

  /// The metadata of a GGUF file, tokenizer included; nullptr for other checkpoints. A directory may hold the
  /// vocabulary of the GGUF file that it was made from, as tokenizer.gguf.
  const GgufMetadata* gguf() const { return gguf_ ? &*gguf_ : nullptr; }

  /// The path it was opened from.
  const std::filesystem::path& path() const { return path_; }

 private:
  Checkpoint() = default;
  void open_directory();
  void open_gguf(MappedFile file);

  std::filesystem::path path_;
  std::filesystem::path directory_;
  Json config_ = Json::object();
  Json generation_config_ = Json::object();
  Quantization quantization_;
  std::vector<MappedFile> files_;
  std::optional<MappedFile> vocabulary_;  // a GGUF file without tensors beside config.json
  NamedTensors tensors_;
  TensorTable unread_;
  std::vector<std::string> unfound_;
  std::string adapter_;
  std::optional<GgufMetadata> gguf_;
};

}  // namespace cleave::ckpt
