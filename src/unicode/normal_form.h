#pragma once

#include <string>
#include <string_view>

namespace cleave::unicode {

/// The normal forms of Unicode Standard Annex #15.
enum class NormalForm { Nfc, Nfd, Nfkc, Nfkd };

/// The normal form of a text, by the tables of utf8proc. Takes linear time, and n log n for a run of n combining marks,
/// which must be sorted. REQUIRES: the text is UTF-8.
std::string to_normal_form(std::string_view text, NormalForm form);

/// A text in lower case, character by character, as Rust's char::to_lowercase does it: a final sigma gets no form of
/// its own. REQUIRES: the text is UTF-8.
std::string lower_case(std::string_view text);

}  // namespace cleave::unicode
