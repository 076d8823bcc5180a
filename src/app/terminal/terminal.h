#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace cleave::app {

/// Whether a rank of --hosts runs here: its streams lead to the program that has started it, which has told what it
/// reads and writes itself (hosts/rank_stream.h).
bool is_started_by_hosts();

/// Whether a person types what standard input gives.
bool input_is_terminal();

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
void show(std::string_view text);

/// Ends the line of an answer for whoever sees it together with the notes that follow: on standard output in a
/// terminal, and on standard error where both go to one pipe or file, so that standard output holds the answer alone.
void end_answer_line(Output& output);

/// Whether standard output is no terminal, and standard error goes to the same place.
bool notes_follow_output();

/// Tells the program that has started this rank that it has begun, or that it ends of its own will. Nothing elsewhere.
void announce_begin();
void announce_end();

/// The one line that a failed run ends with: "cleave: error: ...". Control characters become spaces.
void print_error(std::string_view message);

/// Whether standard error is a terminal, and this process's alone.
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
