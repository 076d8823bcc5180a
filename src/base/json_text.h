#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cleave {

/// The JSON with the constants that Python writes (Infinity, NaN) replaced; nothing if it can be parsed as it stands.
/// Throws Error(Corrupt) for nesting deeper than 256 levels, which is found in the same pass.
std::optional<std::string> standard_json(std::string_view text, const std::string& what);

/// Parses JSON of an untrusted source into a type of nlohmann-json. Throws Error(Corrupt) as parse_json() does.
template <class AnyJson>
AnyJson parse_json_as(std::string_view text, const std::string& what) {
  constexpr size_t kMaxMessageBytes = 200;
  const std::optional<std::string> replaced = standard_json(text, what);
  try {
    return AnyJson::parse(replaced ? std::string_view(*replaced) : text);
  } catch (const typename AnyJson::exception& error) {
    // The library quotes what it read last, which may be a string as long as the file.
    fail(ErrorKind::Corrupt, "{}: not valid JSON: {}", what,
         std::string_view(error.what()).substr(0, kMaxMessageBytes));
  }
}

}  // namespace cleave
