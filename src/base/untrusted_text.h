#pragma once

#include <string>
#include <string_view>

namespace cleave {

// Text of files and command lines, made fit for a message: messages are one line, and a terminal must not be told what
// to do by a file.

/// The text with every byte that is not printable ASCII as \xNN.
std::string printable(std::string_view text);

/// The same of its first 80 bytes, with "..." behind where it is longer.
std::string on_one_line(std::string_view text);

/// The same in quotes, "..." within them.
std::string in_quotes(std::string_view text, char quote = '"');

}  // namespace cleave
