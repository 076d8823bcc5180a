#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace cleave::define {

/// What a configuration class of Transformers knows about the keys of a config.json: a line of models/defaults.json.
/// Borrows from the table, which lives as long as the program; immutable and thread-safe.
struct ConfigClass {
  std::string model_type;
  const Json* defaults;  // key: value; null where there are none
  const Json* names;     // common name of a key: the name that the class gives it; null where there are none
  std::string text;      // class of text_config in a model of text and images; empty for others

  /// The class's default; null where it has none.
  const Json* default_of(std::string_view key) const;
};

/// The class that a configuration is read by: that of its model_type, and where it names none that of its first
/// architecture. Null where no class serves it, as with models whose code is published beside their weights.
const ConfigClass* class_of(const Json& config);
/// The class of this model_type; null where there is none.
const ConfigClass* class_named(std::string_view model_type);

/// models/defaults.json as the build embedded it.
std::string_view embedded_defaults();

}  // namespace cleave::define
