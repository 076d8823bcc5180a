#pragma once

#include <string>
#include <string_view>

namespace cleave::unicode {

enum class NormalForm { Nfc, Nfd, Nfkc, Nfkd };

/// The normal form of `text`, which must be UTF-8 (Unicode Standard Annex #15, tables of utf8proc). Takes linear time
/// for any text but for long runs of combining marks, which it sorts.
std::string to_normal_form(std::string_view text, NormalForm form);

/// The text, which must be UTF-8, in lower case, character by character (no final sigma), as Rust's char does it.
std::string lower_case(std::string_view text);

}  // namespace cleave::unicode
