#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/json.h"

namespace cleave::ckpt {

/// Parses the text of a config.json. The objects that Transformers 5 writes for numbers which JSON cannot hold,
/// {"__float__": "Infinity"}, become what parse_json makes of a bare Infinity. `file` names it in errors.
/// Throws Error(Corrupt) where the text is no JSON object.
Json parse_config(std::string_view text, const std::string& file);

/// Reads and parses the file. Throws like MappedFile and parse_config; Error(Corrupt) beyond 20 MB.
Json read_config(const std::filesystem::path& path);

/// Reads any JSON file, as read_config does, with no regard to its contents.
Json read_json(const std::filesystem::path& path);

}  // namespace cleave::ckpt
