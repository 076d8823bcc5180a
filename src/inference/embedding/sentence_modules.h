#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "inference/embedding/pooling.h"

namespace cleave::inference {

/// A linear layer behind the pooling, and the function of its results.
struct DenseModule {
  enum class Function : uint8_t { Identity, Tanh, Relu, Gelu, Sigmoid } function = Function::Tanh;
  int64_t inputs = 0, outputs = 0;
  std::vector<float> weight;  // [outputs, inputs]
  std::vector<float> bias;    // [outputs], or none
};

/// Scales a vector to length 1.
struct NormalizeModule {};

/// What becomes of a text and of the vectors of its tokens, as sentence-transformers' files beside a model say.
struct SentenceModules {
  std::filesystem::path transformer;       // the folder of the model and its tokenizer
  std::optional<int64_t> max_length = {};  // tokens of a text, special ones included
  bool lower_case = false;                 // texts are put into small letters first
  std::vector<PoolingMode> pooling = {PoolingMode::Mean};
  bool pools_prompt = true;  // tokens of the prompt count
  std::vector<std::variant<DenseModule, NormalizeModule>> layers = {};
  std::map<std::string, std::string> prompts = {};  // text that precedes others, by name
  std::string default_prompt = {};                  // its name; "" for none

  /// Whether vectors end with length 1.
  bool normalizes() const;
  /// Numbers of a text's vector, where those of tokens have `width`.
  int64_t output_width(int64_t width) const;
};

/// Reads modules.json, 1_Pooling and so on, sentence_bert_config.json and config_sentence_transformers.json of a folder
/// (sentence-transformers 5). Without modules.json the mean of all tokens counts. Throws Error: Corrupt for a file that
/// contradicts itself, Unsupported for a module that is not known.
SentenceModules read_sentence_modules(const std::filesystem::path& directory);

/// Whether the folder says how vectors of texts are made.
bool has_sentence_modules(const std::filesystem::path& directory);

/// What the modules behind the pooling make of a vector. Throws Error(Corrupt) where its length is not what a layer
/// takes.
std::vector<float> apply_layers(const SentenceModules& modules, std::vector<float> vector);

/// Scales a vector to length 1, as torch.nn.functional.normalize does.
void normalize(std::vector<float>& vector);

}  // namespace cleave::inference
