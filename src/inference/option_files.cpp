#include "inference/option_files.h"

#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/json.h"

namespace cleave::inference {

plan::OverrideSources::File read_override_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorKind::NotFound, "cannot open {}", path.string());
  plan::OverrideSources::File read{path.filename().string(), {std::istreambuf_iterator<char>(file), {}}};
  if (file.bad()) fail(ErrorKind::Io, "cannot read {}", path.string());
  return read;
}

plan::Hardware read_hardware_file(const std::filesystem::path& path) {
  return plan::Hardware::from_json(parse_json(read_override_file(path).text, path.string()));
}

}  // namespace cleave::inference
