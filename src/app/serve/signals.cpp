#include "app/serve/signals.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include "app/terminal/terminal.h"
#include "base/error.h"

namespace cleave::app {
namespace {

constexpr uint64_t kNoMoreSignals = uint64_t{1} << 32;

// A signal handler reaches nothing but variables of static storage.
std::atomic<int> event{-1};          // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<bool> is_ending{false};  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void tell(uint64_t number) {
  const ssize_t written = write(event, &number, sizeof number);
  static_cast<void>(written);  // fails only where it is full, and then the thread has been told
}

void on_signal(int signal) {
  if (is_ending.exchange(true)) _exit(128 + signal);
  tell(1);
}

}  // namespace

EndSignals::EndSignals(std::function<void()> end) {
  event = eventfd(0, EFD_CLOEXEC);
  if (event < 0) fail(ErrorKind::Io, "no event for signals: {}", std::strerror(errno));
  is_ending = false;
  thread_ = std::thread([end = std::move(end)] {
    uint64_t number = 0;
    while (read(event, &number, sizeof number) < 0 && errno == EINTR) {
    }
    if (number < kNoMoreSignals) end();
  });
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, &before_term_);
  sigaction(SIGINT, &action, &before_int_);
}

EndSignals::~EndSignals() {
  sigaction(SIGTERM, &before_term_, nullptr);
  sigaction(SIGINT, &before_int_, nullptr);
  tell(kNoMoreSignals);
  thread_.join();
  close(event);
}

}  // namespace cleave::app
