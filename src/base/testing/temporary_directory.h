#pragma once

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"

namespace cleave {

/// A fresh directory for a test, removed with this object. Tests run side by side, and the same test several times at
/// once (with and without sanitizers), so a test never writes to a fixed path.
class TemporaryDirectory {
 public:
  /// Throws Error(Io) if the system gives no directory.
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "cleave_test_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      fail(ErrorKind::Io, "cannot make a temporary directory {}: {}", name, strerror(errno));
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

  /// Writes a file into the directory and returns the path of the file.
  std::filesystem::path write(std::string_view name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace cleave
