#pragma once

#include <functional>
#include <istream>
#include <string>

#include "base/json.h"

namespace cleave::app {

/// All that is left of a stream, unchanged. `name` names it in errors. Throws Error(Io).
std::string read_all(std::istream& stream, const std::string& name);

/// Calls use(line) for each line of standard input or the like that is not empty, parsed as JSON. Errors of parsing and
/// of `use` are thrown with the line's number before them.
void for_each_json_line(std::istream& stream, const std::function<void(const Json&)>& use);

/// As above, with the line as it is written.
void for_each_line(std::istream& stream, const std::function<void(const std::string&)>& use);

}  // namespace cleave::app
