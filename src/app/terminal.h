#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace cleave::app {

/// Standard output: the only place for results. Unbuffered, so that text appears as it is made.
class Output {
 public:
  /// Throws Error(Io) where the text cannot be written: a closed pipe, a full disk.
  void write(std::string_view text);
  bool is_terminal() const;
};

/// A line on standard error for the person in front of it. What cannot be written is lost without a word.
void note(std::string_view line);

/// As note(), and the cursor stays behind the text.
void show_prompt(std::string_view text);

/// The one line that a failed run ends with: "cleave: error: ...". Control characters become spaces.
void print_error(std::string_view message);

/// Whether standard error is a terminal.
bool shows_progress();

/// A bar on standard error while something loads; nothing where that is no terminal. The bar is gone when the object
/// is.
class ProgressBar {
 public:
  /// `unit`: of what update() counts; bytes where it is empty.
  explicit ProgressBar(std::string_view what, std::string_view unit = "");
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar();

  /// Draws anew, but no more often than the eye can follow.
  void update(int64_t done, int64_t total);

 private:
  std::string_view what_, unit_;
  bool shown_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace cleave::app
