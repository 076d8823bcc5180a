#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "text/models/vocabulary.h"

namespace cleave::text {

/// The ids of the tokens "<0x00>" to "<0xFF>", in which SentencePiece writes characters that the vocabulary lacks.
struct ByteTokens {
  std::array<int32_t, 256> ids;  // [byte]; -1 for a byte without a token
  ByteTokens() { ids.fill(-1); }
};
/// The byte tokens of a vocabulary.
ByteTokens byte_tokens(const Vocabulary& vocabulary);

/// Appends the tokens of all bytes of `text`. Returns false and appends nothing if one of them has no token.
bool append_byte_tokens(const ByteTokens& tokens, std::string_view text, std::vector<int32_t>& ids);

/// The byte of a token such as "<0x0A>"; nothing for a token of another form.
std::optional<uint8_t> byte_of_token(std::string_view token);

}  // namespace cleave::text
