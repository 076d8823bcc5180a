#include "app/terminal/interrupt.h"

#include <csignal>

namespace cleave::app {
namespace {

// A signal handler reaches nothing but a variable of static storage.
volatile std::sig_atomic_t interrupted = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

void remember(int) {
  interrupted = 1;
}

void install(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  if (handler != SIG_DFL) action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: a waiting read() returns
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  interrupted = 0;
  install(remember);
}

Interrupt::~Interrupt() {
  install(SIG_DFL);
}

bool Interrupt::requested() const {
  return interrupted != 0;
}

bool Interrupt::take() {
  const bool was = interrupted != 0;
  if (was) {
    interrupted = 0;
    install(remember);
  }
  return was;
}

}  // namespace cleave::app
