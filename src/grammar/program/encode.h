#pragma once

#include <string>
#include <string_view>

#include "grammar/program/builder.h"
#include "grammar/program/code_points.h"

namespace cleave::grammar {

/// How characters are written as bytes.
enum class Encoding : uint8_t {
  Utf8,
  Json,  // within a JSON string, each in one spelling: as it is, or escaped where JSON demands it (\" \\ \n \u001f)
};

/// Edges for one character of a set.
void add_characters(ProgramBuilder& builder, uint32_t from, const CodePoints& set, Encoding encoding, uint32_t to);

/// The text between the quotes of a JSON string, in the spelling of Encoding::Json. REQUIRES: the text is UTF-8.
std::string json_spelling(std::string_view text);

/// The same with its quotes.
std::string json_quoted(std::string_view text);

/// Edges for one character of a JSON string in any spelling. Surrogates must come in pairs.
void add_any_json_character(ProgramBuilder& builder, uint32_t from, uint32_t to);

}  // namespace cleave::grammar
