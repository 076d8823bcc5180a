#include "inference/option_files.h"

#include "base/files.h"
#include "base/json.h"

namespace cleave::inference {

plan::OverrideSources::File read_override_file(const std::filesystem::path& path) {
  return {path.filename().string(), read_file(path)};
}

plan::Hardware read_hardware_file(const std::filesystem::path& path) {
  return plan::Hardware::from_json(parse_json(read_file(path), path.string()));
}

}  // namespace cleave::inference
