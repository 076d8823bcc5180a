#include "app/terminal/terminal.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include "app/terminal/rank_stream.h"
#include "base/error.h"
#include "base/strings.h"

namespace cleave::app {
namespace {

// 0, or the error number.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

// Whether the program that has started this rank has said so of its streams.
bool is_told(std::string_view word) {
  const char* words = std::getenv(kStreamsVariable);
  if (words == nullptr) return false;
  const std::vector<std::string> all = split(words, ',');
  return std::ranges::find(all, word) != all.end();
}

// What cannot be written is lost.
void write_error_text(std::string_view text) {
  write_all(STDERR_FILENO, is_started_by_hosts() ? wrapped(text) : std::string(text));
}

}  // namespace

bool is_started_by_hosts() {
  return std::getenv(kStreamsVariable) != nullptr;
}

bool input_is_terminal() {
  return is_started_by_hosts() ? is_told(kInputIsTerminal) : isatty(STDIN_FILENO) != 0;
}

bool notes_follow_output() {
  if (is_started_by_hosts()) return is_told(kErrorsFollowOutput);
  struct stat output = {}, errors = {};
  if (isatty(STDOUT_FILENO) != 0 || fstat(STDOUT_FILENO, &output) != 0 || fstat(STDERR_FILENO, &errors) != 0)
    return false;
  return output.st_dev == errors.st_dev && output.st_ino == errors.st_ino;
}

void Output::write(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error != 0)
    fail(ErrorKind::Io, "cannot write to standard output: {}{}", std::generic_category().message(error),
         error == EPIPE ? " (its reader has gone)" : "");
}

bool Output::is_terminal() const {
  return is_started_by_hosts() ? is_told(kOutputIsTerminal) : isatty(STDOUT_FILENO) != 0;
}

void note(std::string_view line) {
  write_error_text(fmt::format("{}\n", line));
}

void show(std::string_view text) {
  write_error_text(text);
}

void end_answer_line(Output& output) {
  if (output.is_terminal())
    output.write("\n");
  else if (notes_follow_output())
    show("\n");
}

void announce_begin() {
  if (is_started_by_hosts()) write_all(STDERR_FILENO, wrapped_begin());
}

void announce_end() {
  if (is_started_by_hosts()) write_all(STDERR_FILENO, wrapped_end());
}

void print_error(std::string_view message) {
  std::string line = fmt::format("cleave: error: {}", message);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  note(line);
}

bool shows_progress() {
  return !is_started_by_hosts() && isatty(STDERR_FILENO) != 0;
}

ProgressBar::ProgressBar(std::string_view what, std::string_view unit)
    : what_(what), unit_(unit), shown_(shows_progress()) {}

ProgressBar::~ProgressBar() {
  if (shown_) write_all(STDERR_FILENO, "\r\x1b[K");  // back to the first column, erase to the end of the line
}

void ProgressBar::update(int64_t done, int64_t total) {
  static constexpr auto kInterval = std::chrono::milliseconds(50);
  static constexpr int64_t kWidth = 30;
  const auto now = std::chrono::steady_clock::now();
  if (!shown_ || total <= 0 || (now < next_ && done < total)) return;
  next_ = now + kInterval;
  const auto filled = static_cast<size_t>(std::clamp<int64_t>(done * kWidth / total, 0, kWidth));
  write_all(STDERR_FILENO,
            fmt::format("\r{} [{}{}] {:3}% of {}\x1b[K", what_, std::string(filled, '#'),
                        std::string(kWidth - filled, ' '), done * 100 / total,
                        unit_.empty() ? format_bytes(static_cast<double>(total)) : fmt::format("{} {}", total, unit_)));
}

}  // namespace cleave::app
