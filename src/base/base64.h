#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cleave {

/// The bytes that a text in base64 encodes (RFC 4648, with or without padding); nothing if the text is not base64.
std::optional<std::string> decode_base64(std::string_view text);

/// The text in base64, with padding, that encodes these bytes.
std::string encode_base64(std::string_view bytes);

}  // namespace cleave
