#include "app/api_keys.h"

#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"

namespace cleave::app {

std::vector<std::string> read_keys(const std::filesystem::path& path) {
  std::vector<std::string> keys;
  for (std::string line : split(read_file(path), '\n')) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.pop_back();
    if (!line.empty() && line.front() != '#') keys.push_back(std::move(line));
  }
  if (keys.empty()) fail(ErrorKind::InvalidArgument, "{}: holds no key; write one a line", path.string());
  return keys;
}

}  // namespace cleave::app
