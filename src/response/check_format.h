#pragma once

#include <string>
#include <vector>

#include "response/response_format.h"
#include "text/chat/chat_format.h"

namespace cleave::response {

/// What became of one answer that a template wrote and a parser read.
struct FormatCheck {
  enum class Outcome : uint8_t {
    NotWritten,  // the template refuses such an answer, or leaves its parts out
    Differs,     // it reads otherwise than it was written
    DiffersCut,  // only where it comes in pieces
    Same,
  };
  std::string what;  // "two calls"
  Outcome outcome = Outcome::NotWritten;
  std::string answer;  // as the template writes it
  std::string read;    // as the parser reads it, where that differs
};

/// Lets a template write answers of several kinds (reasoning, content, calls with strings, numbers and nested values)
/// and reads them with a format, whole, in single bytes and cut at every place. Takes some ten milliseconds.
std::vector<FormatCheck> check_format(const text::ChatFormat& chat, const ResponseFormat& format);

}  // namespace cleave::response
