#pragma once

#include <string>

#include "server/live/exchange.h"

namespace cleave::app {

/// How requests are logged on standard error, a line each; never with a word of prompts or answers.
enum class LogForm {
  Text,  // for people
  Json,  // for programs, an object per line
  None,  // only what should not happen
};

/// A line about a request that is over, without its end.
std::string log_line(const server::ExchangeRecord& record, LogForm form);
/// A line about something that should not have happened.
std::string problem_line(const std::string& problem, LogForm form);

}  // namespace cleave::app
