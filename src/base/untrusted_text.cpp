#include "base/untrusted_text.h"

#include <fmt/format.h>

#include <iterator>

namespace cleave {
namespace {

constexpr size_t kShownBytes = 80;  // enough to recognise a text, short enough for one line

}  // namespace

std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    if (c >= ' ' && c <= '~')
      shown += c;
    else
      fmt::format_to(std::back_inserter(shown), "\\x{:02x}", static_cast<unsigned char>(c));
  }
  return shown;
}

std::string on_one_line(std::string_view text) {
  return printable(text.substr(0, kShownBytes)) + (text.size() > kShownBytes ? "..." : "");
}

std::string in_quotes(std::string_view text, char quote) {
  return quote + on_one_line(text) + quote;
}

}  // namespace cleave
