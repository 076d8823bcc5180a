#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cleave::app {

/// A program that this one has started. It has the same standard input and output; its standard error arrives here. It
/// is asked to end (SIGTERM) when this program's main thread ends, however that happens.
class ChildProcess {
 public:
  /// `command`: the program, looked for in PATH, and its arguments. Throws Error(NotFound) where there is no such
  /// program.
  explicit ChildProcess(const std::vector<std::string>& command);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  /// Ends the program, if it has not been waited for, and waits.
  ~ChildProcess();

  /// The next bytes that it has written to standard error; "" where none came within `limit` or a signal came, nothing
  /// where it has closed it.
  std::optional<std::string> read_errors(std::chrono::milliseconds limit);

  /// Asks it to end.
  void terminate();

  /// Waits until it ends. Gives its exit code, or 128 and the number of the signal that ended it, as shells do.
  int wait();

 private:
  pid_t pid_ = -1;
  int errors_ = -1;
};

}  // namespace cleave::app
