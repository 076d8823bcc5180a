#pragma once

#include <cleave/error.h>
#include <fmt/format.h>

#include <string>
#include <utility>

namespace cleave {

/// The spelling used in messages and logs: "invalid argument", "not found", ...
const char* to_string(ErrorKind kind);

/// Throws Error(kind, formatted message).
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace cleave
