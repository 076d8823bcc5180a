#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ckpt/gguf/architectures.h"
#include "ckpt/gguf/gguf.h"

namespace cleave::ckpt {

/// What the person wrote who set a number that the file has as f32: 1e-05 for the f32 nearest to it.
double shortest(double value);

/// The metadata of a model, by keys without the architecture's name in front. Borrows all that it is made of.
/// Values that no model can have are Error(Corrupt), naming file and key.
class GgufKeys {
 public:
  GgufKeys(const GgufContents& contents, const GgufArchitecture& architecture)
      : contents_(contents), architecture_(architecture) {}

  const std::string& file() const { return contents_.metadata.file(); }
  const GgufContents& contents() const { return contents_; }
  const GgufArchitecture& architecture() const { return architecture_; }

  /// The whole key.
  std::string key(std::string_view suffix) const;
  bool contains(std::string_view suffix) const { return contents_.metadata.contains(key(suffix)); }
  bool has_tensor(std::string_view name) const { return contents_.tensors.find(name) != contents_.tensors.end(); }

  /// 0 to 2^31 - 1. A list of one value per layer counts where all are the same, or where the table says that they may
  /// differ: then the largest. Throws Error(Unsupported) for other lists.
  std::optional<int64_t> integer(std::string_view suffix) const;
  /// Throws Error(Corrupt) where there is none, or 0.
  int64_t required(std::string_view suffix) const;
  std::optional<double> number(std::string_view suffix) const;
  std::optional<bool> boolean(std::string_view suffix) const;
  std::optional<std::string_view> string(std::string_view suffix) const;

  /// One value for each of `layers` layers, from a list or a single number. Throws Error(Corrupt) for a shorter list.
  std::optional<std::vector<int64_t>> per_layer(std::string_view suffix, int64_t layers) const;

 private:
  const GgufContents& contents_;
  const GgufArchitecture& architecture_;
};

}  // namespace cleave::ckpt
