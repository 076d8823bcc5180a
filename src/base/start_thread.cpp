#include "base/start_thread.h"

#include <system_error>
#include <utility>

#include "base/error.h"

namespace cleave {

std::thread start_thread(std::function<void()> work) {
  try {
    return std::thread(std::move(work));
  } catch (const std::system_error& error) {
    fail(ErrorKind::Io, "the system starts no more threads ({}): use fewer, or raise its limits", error.what());
  }
}

}  // namespace cleave
