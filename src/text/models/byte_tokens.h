#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/models/vocabulary.h"

namespace cleave::text {

/// Ids of the tokens "<0x00>" to "<0xFF>", by which SentencePiece writes characters that the vocabulary lacks.
/// [byte]; -1 for those that are not there.
struct ByteTokens {
  std::array<int32_t, 256> ids;
  ByteTokens() { ids.fill(-1); }
};
ByteTokens byte_tokens(const Vocabulary& vocabulary);

/// Appends the tokens of all bytes of `text`; false, and nothing appended, where one is missing.
bool append_byte_tokens(const ByteTokens& tokens, std::string_view text, std::vector<int32_t>& ids);

/// The byte that a token such as "<0x0A>" stands for; nothing for another token.
std::optional<uint8_t> byte_of_token(std::string_view token);

}  // namespace cleave::text
