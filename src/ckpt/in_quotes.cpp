#include "ckpt/in_quotes.h"

#include <fmt/format.h>

#include <iterator>

namespace cleave::ckpt {

std::string in_quotes(std::string_view text) {
  constexpr size_t kLimit = 80;
  std::string result = "\"";
  for (const char c : text.substr(0, kLimit)) {
    if (c >= ' ' && c <= '~')
      result += c;
    else
      fmt::format_to(std::back_inserter(result), "\\x{:02x}", static_cast<unsigned char>(c));
  }
  return result + (text.size() > kLimit ? "...\"" : "\"");
}

}  // namespace cleave::ckpt
