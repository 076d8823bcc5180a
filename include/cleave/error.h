#pragma once

#include <stdexcept>
#include <string>

namespace cleave {

/// Who or what is at fault. Internal means a bug in Cleave.
enum class ErrorKind { InvalidArgument, NotFound, Corrupt, Unsupported, Io, Comm, Internal };

/// The only exception type of the project. A message says what failed, what was seen, what was wanted and, where it
/// helps, what to do. It is one line without a final full stop, ready to be printed behind "error: ".
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace cleave
