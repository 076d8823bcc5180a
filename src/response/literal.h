#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ordered_json.h"
#include "response/response_format.h"

namespace cleave::response {

/// The value that a whole text writes in a style; nothing where it is none. Nesting is bounded.
std::optional<OrderedJson> parse_literal(std::string_view text, const LiteralStyle& style);

/// The first value in a text and where it ends; nothing where none begins it.
struct LiteralPrefix {
  OrderedJson value;
  size_t end;
};
std::optional<LiteralPrefix> parse_literal_prefix(std::string_view text, const LiteralStyle& style);

/// A finder of the end of a value in a text that arrives in pieces. It counts brackets and strings alone; whether the
/// value is one, parse_literal() says.
class LiteralScanner {
 public:
  explicit LiteralScanner(LiteralStyle style) : style_(std::move(style)) {}

  /// Goes on over a text that is what it was, and longer. True where the value ends within it.
  bool scan(std::string_view text);
  size_t end() const { return position_; }

 private:
  bool step(std::string_view text);
  bool step_string(std::string_view text);

  LiteralStyle style_;
  size_t position_ = 0;
  size_t depth_ = 0;
  std::string closing_;  // what ends the string that is being read; "" outside
  bool begun_ = false;
  bool stuck_ = false;  // the text ends with what may become a quote
};

/// A text as the inside of a JSON string.
std::string json_escaped(std::string_view text);
/// A value as JSON on one line, whatever bytes it holds.
std::string json_text(const OrderedJson& value);

}  // namespace cleave::response
