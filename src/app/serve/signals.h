#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace cleave::app {

/// While it lives, SIGTERM and SIGINT do not end the process: the first of them calls `end` on a thread of its own, a
/// second one ends the process at once. One object at a time.
class EndSignals {
 public:
  explicit EndSignals(std::function<void()> end);
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals();

 private:
  struct sigaction before_term_ = {}, before_int_ = {};
  std::thread thread_;
};

}  // namespace cleave::app
