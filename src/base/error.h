#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace cleave {

/// Who or what is at fault. Internal is thrown by CHECK alone and means a bug in Cleave.
enum class ErrorKind { InvalidArgument, NotFound, Corrupt, Unsupported, Io, Comm, Internal };

/// The spelling used in messages and logs: "invalid argument", "not found", ...
const char* to_string(ErrorKind kind);

/// The only exception type of the project. A message says what failed, what was seen, what was wanted and, where it
/// helps, what to do. It is one line without a final full stop, ready to be printed behind "error: ".
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

/// Throws Error(kind, formatted message).
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace cleave
