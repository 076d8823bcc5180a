#pragma once

#include <span>
#include <string_view>

namespace cleave::ckpt {

/// How a stored tensor becomes one or several of Hugging Face's.
enum class Role {
  Plain,         // as it is
  InterleavedQ,  // rows of each query head in pairs of its two halves (permuted_rows)
  InterleavedK,  // the same for key heads
  Experts,       // [experts, out, in]: one tensor per expert
  Row,           // [in], a linear with one output: [1, in]
};

/// GGML's module name (behind "blk.N." for those of a layer, before ".weight" or ".bias") and Hugging Face's; the first
/// {} of the latter is the layer's number, the second the expert's.
struct NameRule {
  std::string_view gguf;
  std::string_view hf;
  Role role = Role::Plain;
};

/// A config key of the common spelling and the one that this architecture has instead.
struct KeyRename {
  std::string_view common;
  std::string_view hf;
};

/// One architecture of GGUF files.
struct GgufArchitecture {
  std::string_view name;      // general.architecture
  bool experts;               // the row for models with expert_count > 0
  std::string_view hf_class;  // config "architectures"
  std::string_view model_type;
  std::span<const NameRule> layer_rules;
  std::span<const NameRule> model_rules;
  std::span<const KeyRename> renames;
  std::string_view constants;  // JSON object: config keys that GGUF leaves to the architecture
};

/// An architecture whose GGUF files cannot be viewed as Hugging Face's tensors, and why.
struct RefusedArchitecture {
  std::string_view name;
  std::string_view reason;
};

/// The tables of both kinds.
std::span<const GgufArchitecture> known_architectures();
std::span<const RefusedArchitecture> refused_architectures();

}  // namespace cleave::ckpt
