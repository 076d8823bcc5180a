#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ordered_json.h"
#include "response/response_format.h"
#include "response/tool_schemas.h"

namespace cleave::response {

/// A part of what a model is to write, of which a grammar can be made. A tree; a value.
struct SyntaxPiece {
  enum class Kind : uint8_t {
    Literal,   // `text`
    Schema,    // JSON that `schema` allows
    Regex,     // `text`, a regular expression that matches all of the piece
    Free,      // any text up to the first occurrence of `text`, which belongs to it
    Sequence,  // `parts` one behind the other
    Choice,    // one of `parts`
    Repeat,    // `parts[0]`, `min` times or more, up to once or without bound
  };
  Kind kind = Kind::Sequence;
  std::string text = {};
  OrderedJson schema = {};
  std::vector<SyntaxPiece> parts = {};
  uint32_t min = 0;
  bool at_most_once = false;  // of a Repeat
};

/// The syntax of calls in an answer.
struct CallGrammar {
  /// What begins the calls. Where it occurs outside of reasoning in an answer that may have calls, the rest follows it.
  /// "" where calls have no mark (CallSyntax::is_bare()).
  std::string opening;
  /// All that follows the opening, up to the end of the answer.
  SyntaxPiece rest;
};

/// The syntax of calls of these tools, of one or more where `several` is true and the format has such; nothing where
/// the format has no calls, or none that JSON schemas can describe. An answer that is forced to call is `opening`, then
/// `rest`. Names stand in it as they are. REQUIRES: tools.has() every name.
std::optional<CallGrammar> call_grammar(const ResponseFormat& format, const ToolSchemas& tools,
                                        const std::vector<std::string>& names, bool several);

/// All ways in which a ResponseParser takes calls to begin in an answer that need not call: call_grammar(), and calls
/// without the opening of their section, which models forget. Headers of messages to tools, which models write in
/// several manners, may hold anything behind the tool's name. Empty where calls have no mark. REQUIRES: the same.
std::vector<CallGrammar> call_openings(const ResponseFormat& format, const ToolSchemas& tools,
                                       const std::vector<std::string>& names, bool several);

/// The first keyword in a tool's parameters that call_grammar() does not hold an answer to; "" where it holds all.
/// Arguments that stand between marks of their own are held to the types of their schema and its `enum` and `const`,
/// other arguments to the whole schema.
std::string unheld_keyword(const ResponseFormat& format, const OrderedJson& parameters);

}  // namespace cleave::response
