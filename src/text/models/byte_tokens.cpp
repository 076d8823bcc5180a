#include "text/models/byte_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace cleave::text {

ByteTokens byte_tokens(const Vocabulary& vocabulary) {
  ByteTokens tokens;
  for (int byte = 0; byte < 256; ++byte) tokens.ids[byte] = vocabulary.id(fmt::format("<0x{:02X}>", byte)).value_or(-1);
  return tokens;
}

bool append_byte_tokens(const ByteTokens& tokens, std::string_view text, std::vector<int32_t>& ids) {
  const auto id = [&](char byte) { return tokens.ids[static_cast<uint8_t>(byte)]; };
  if (std::any_of(text.begin(), text.end(), [&](char byte) { return id(byte) < 0; })) return false;
  std::transform(text.begin(), text.end(), std::back_inserter(ids), id);
  return true;
}

std::optional<uint8_t> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const auto digit = [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c & 0x5F) - 'A' + 10;
  };
  if (!std::isxdigit(static_cast<unsigned char>(token[3])) || !std::isxdigit(static_cast<unsigned char>(token[4])))
    return std::nullopt;
  return static_cast<uint8_t>(digit(token[3]) * 16 + digit(token[4]));
}

}  // namespace cleave::text
