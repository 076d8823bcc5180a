#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cleave::ckpt {

/// What one stored tensor, or several, become.
struct NameRule {
  /// A tensor's name for Hugging Face, and the form that numbers or rows are brought into (forms.h).
  struct Target {
    std::string_view name;  // the first {} is the layer's number, a further one the place in the first dimension
    std::string_view form;  // empty: as it is
  };

  std::vector<std::string_view> stored;  // GGML's names, without "blk.N."
  std::vector<Target> targets;
  bool in_layer = false;
};

/// A metadata key, without "NAME.", and the config key; "a.b" is b in the object a.
struct KeyRule {
  std::string_view gguf;
  std::string_view hf;
};

/// One architecture of GGUF files: a row of the table, with all that it takes over from others.
struct GgufArchitecture {
  std::string_view name;  // general.architecture
  std::string_view hf_class;
  std::string_view model_type;
  std::string_view condition;    // as the table has it; empty: always
  std::string_view layers;       // prefix of layers' names
  std::vector<NameRule> names;   // the first that fits counts
  std::vector<KeyRule> keys;     // the first of a metadata key counts
  std::vector<KeyRule> has;      // tensor, config key
  std::vector<KeyRule> numbers;  // whole key, tensor
  std::vector<std::string_view> varies;
  std::vector<std::string_view> derived;
  Json constants = Json::object();

  bool may_vary(std::string_view key) const;
};

/// The rows of architectures.inc of that name, in order; empty for an unknown one.
std::vector<GgufArchitecture> architectures_named(std::string_view name);

/// Names of all architectures, sorted, each once.
std::vector<std::string> gguf_architectures();

}  // namespace cleave::ckpt
