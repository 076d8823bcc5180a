#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace cleave::inference {

/// The settings of a generation_config.json by their names
/// (https://huggingface.co/docs/transformers/main_classes/text_generation). One that is absent or null says nothing.
/// Functions throw Error(Corrupt) for a value of another type. Borrows the JSON.
class GenerationSettings {
 public:
  explicit GenerationSettings(const Json& json) : json_(json) {}

  bool is_true(const char* key) const;
  std::optional<double> number(const char* key) const;
  std::optional<int64_t> integer(const char* key) const;
  std::optional<int32_t> id(const char* key) const;
  /// One id or a list of them.
  std::vector<int32_t> ids(const char* key) const;
  std::vector<std::vector<int32_t>> id_lists(const char* key) const;

  /// Null where it says nothing.
  const Json* find(const char* key) const;

  /// Settings that change what Transformers generates and that nothing here does, with their values: "num_beams 4". A
  /// search reads those of beams, and minds what comes of renormalised scores.
  std::vector<std::string> unread(bool searches = false) const;

 private:
  const Json& json_;
};

}  // namespace cleave::inference
