#include "base/files.h"

#include <array>
#include <fstream>
#include <system_error>

#include "base/error.h"

namespace cleave {

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    fail(ErrorKind::Io, "{} is a directory, wanted a file", path.string());
  if (!file) fail(ErrorKind::NotFound, "cannot open {}", path.string());
  std::string text;
  std::array<char, 1 << 16> buffer;
  do {
    file.read(buffer.data(), buffer.size());
    text.append(buffer.data(), static_cast<size_t>(file.gcount()));
  } while (file);
  if (file.bad()) fail(ErrorKind::Io, "cannot read {}", path.string());
  return text;
}

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) fail(ErrorKind::Io, "cannot write {}; give a path that can be written", path.string());
}

}  // namespace cleave
