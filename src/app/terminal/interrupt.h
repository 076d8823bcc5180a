#pragma once

namespace cleave::app {

/// While it lives, the first Ctrl-C (SIGINT) is remembered instead of ending the process; one that follows before it is
/// taken ends the process at once. One object at a time.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  bool requested() const;
  /// Forgets the Ctrl-C, so that the next one is remembered again. Gives whether there was one.
  bool take();
};

/// What shells report for a program that Ctrl-C ended.
inline constexpr int kInterruptedExit = 130;

}  // namespace cleave::app
