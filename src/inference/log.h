#pragma once

#include <cleave/cleave.h>

#include <string_view>

namespace cleave::inference {

/// Gives the log a line, if there is a log.
inline void write(const Log& log, LogLevel level, std::string_view line) {
  if (log) log(level, line);
}

}  // namespace cleave::inference
