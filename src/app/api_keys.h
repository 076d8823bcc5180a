#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cleave::app {

/// API keys of a file, one a line; lines that begin with # and empty ones are none. A server takes each of them, a
/// client sends the first one. There is one at least. Throws Error: NotFound or Io if the file cannot be read,
/// InvalidArgument where it holds no key.
std::vector<std::string> read_keys(const std::filesystem::path& path);

}  // namespace cleave::app
