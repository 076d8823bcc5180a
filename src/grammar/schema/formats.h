#pragma once

#include <string>
#include <string_view>

namespace cleave::grammar {

/// The regular expression of a format's strings: those of its specification, or a part of them where no regular
/// expression has all. Throws Error(Unsupported) for an unknown format.
std::string format_pattern(std::string_view format);

}  // namespace cleave::grammar
