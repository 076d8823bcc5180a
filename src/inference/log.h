#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace cleave::inference {

/// How much a line of the log matters: a fact that was asked for, how something was understood, or probably a mistake.
enum class LogLevel : uint8_t { Info, Note, Warning };
/// Receives lines for the user, without a line end, on the calling thread.
using Log = std::function<void(LogLevel level, std::string_view line)>;

/// Gives the log a line, if there is a log.
inline void write(const Log& log, LogLevel level, std::string_view line) {
  if (log) log(level, line);
}

}  // namespace cleave::inference
