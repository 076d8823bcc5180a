#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cleave::jinja {

/// A place in a template, counted from 1; columns in characters.
struct Place {
  int line = 1;
  int column = 1;
};

/// A token of a template.
struct Token {
  enum class Type {
    Data,           // text between tags, with the white space that will be written
    VariableBegin,  // {{
    VariableEnd,
    BlockBegin,  // {%
    BlockEnd,
    Name,
    Integer,
    Float,
    String,    // value: the text without quotes and escapes
    Operator,  // value: "+", "==", "(" ...
    End,       // of the template
  };
  Type type = Type::End;
  std::string value;
  Place place;
};

/// Cuts a template into tokens as Jinja2 3.1 does with trim_blocks and lstrip_blocks, which Transformers sets. Comments
/// are left out, raw blocks become data, and the white space around tags is trimmed. `what` names the template in
/// errors. Throws Error(Corrupt): "WHAT:LINE:COLUMN: TemplateSyntaxError: ...".
std::vector<Token> tokenize(std::string_view source, const std::string& what);

/// Throws Error(Corrupt): "WHAT:LINE:COLUMN: TemplateSyntaxError: MESSAGE".
[[noreturn]] void syntax_error(const std::string& what, Place place, std::string_view message);

}  // namespace cleave::jinja
