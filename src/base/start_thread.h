#pragma once

#include <functional>
#include <thread>

namespace cleave {

/// A thread that runs `work`. Throws Error(Io) where the system starts no more threads.
std::thread start_thread(std::function<void()> work);

}  // namespace cleave
