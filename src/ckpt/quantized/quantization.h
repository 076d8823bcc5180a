#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace cleave::ckpt {

/// The tools whose checkpoints are read.
enum class QuantMethod : uint8_t {
  None,
  Gptq,  // AutoRound's, too
  Awq,
  CompressedTensors,
  Fp8,
  FbgemmFp8,
  ModelOpt,
  Quark,
  BitsAndBytes,
  Mlx,
  Hqq,
  Aqlm,
  Mxfp4,
};

/// What a checkpoint's configuration says of how its weights are quantised.
struct Quantization {
  QuantMethod method = QuantMethod::None;
  Json settings = Json::object();  // always an object
  std::string where;               // it stands: "config.json: quantization_config"
};

/// Finds it, in this order: quantization_config, compression_config, quantization of config.json, the same inside of
/// its text_config, and the files quantize_config.json, quant_config.json and hf_quant_config.json of `directory`
/// (empty for none). Throws Error: Unsupported, naming key and value and `packed`, a tensor that it is about ("" for
/// none), for a method or a variant of one that is not read; Corrupt where settings are of a wrong type.
Quantization find_quantization(const Json& config, const std::filesystem::path& directory, const std::string& packed);

/// How integers of one module are quantised. Of GPTQ, AutoRound, AWQ and MLX.
struct IntSettings {
  int bits = 0;
  int64_t group = 0;  // inputs that share a scale; 0: all of them
  bool symmetric = true;
  std::string mode = "affine";  // of MLX
};

/// What the configuration says of a module, its per-module settings included. Throws Error(Corrupt) for values that no
/// format has.
IntSettings int_settings(const Quantization& quantization, const std::string& module);

/// The settings of compressed-tensors that apply to a module's weights: those of the first group one of whose targets
/// names it, or any linear. Null where there is none.
Json weights_settings(const Quantization& quantization, const std::string& module);

}  // namespace cleave::ckpt
