#include "app/line_reader.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace cleave::app {

std::optional<std::string> LineReader::next(const Interrupt& interrupt) {
  for (;;) {
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos || (at_end_ && !buffer_.empty())) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end == std::string::npos ? end : end + 1);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
    if (at_end_ || interrupt.requested()) return std::nullopt;
    char bytes[4096];
    const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count < 0 && errno != EINTR)
      fail(ErrorKind::Io, "cannot read standard input: {}", std::generic_category().message(errno));
    if (count == 0) at_end_ = true;
    if (count > 0) buffer_.append(bytes, static_cast<size_t>(count));
  }
}

}  // namespace cleave::app
