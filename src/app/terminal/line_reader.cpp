#include "app/terminal/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace cleave::app {
namespace {

constexpr int kPatienceMilliseconds = 100;  // how late Ctrl-C may be noticed

}  // namespace

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
    // A signal that comes between the question above and the wait does not end the wait, so it is a short one.
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kPatienceMilliseconds) <= 0) continue;
    char bytes[4096];
    const ssize_t count = ::read(STDIN_FILENO, bytes, sizeof(bytes));
    if (count < 0 && errno != EINTR)
      fail(ErrorKind::Io, "cannot read standard input: {}", std::generic_category().message(errno));
    if (count == 0) at_end_ = true;
    if (count > 0) buffer_.append(bytes, static_cast<size_t>(count));
  }
}

}  // namespace cleave::app
