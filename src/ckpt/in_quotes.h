#pragma once

#include <string>
#include <string_view>

namespace cleave::ckpt {

/// `text` from an untrusted file made fit for a one-line message: in double quotes, bytes that are not printable ASCII
/// escaped as \xNN, cut after 80 bytes.
std::string in_quotes(std::string_view text);

}  // namespace cleave::ckpt
