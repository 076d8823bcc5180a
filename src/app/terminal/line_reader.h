#pragma once

#include <optional>
#include <string>

#include "app/terminal/interrupt.h"

namespace cleave::app {

/// Lines of standard input. Reads the file itself, so that Ctrl-C ends the wait for a line.
class LineReader {
 public:
  /// The next line without its end; nothing at the end of the input or where Ctrl-C comes. Throws Error(Io).
  std::optional<std::string> next(const Interrupt& interrupt);

 private:
  std::string buffer_;
  bool at_end_ = false;
};

}  // namespace cleave::app
