#pragma once

#include <string_view>
#include <vector>

#include "jinja/ast.h"
#include "jinja/token_stream.h"

namespace cleave::jinja {

/// A parser of expressions, by recursive descent in the order of Jinja2's precedences. Takes the tokens of an
/// expression from a stream, which it borrows. Throws Error(Corrupt) for a syntax error.
class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& stream) : stream_(stream) {}

  /// Parses an expression. `conditional`: whether "a if b else c" may be one.
  ExpressionPointer expression(bool conditional = true);
  /// Parses an expression, or several with commas between, which form a tuple.
  ExpressionPointer tuple(bool conditional = true);
  /// Parses "(a, b=1, *c, **d)".
  ArgumentList call_arguments();
  /// Parses "name(arguments)|name ...", the filters of a block.
  BlockFilters filters();

 private:
  ExpressionPointer logical_or();
  ExpressionPointer logical_and();
  ExpressionPointer logical_not();
  ExpressionPointer comparison();
  ExpressionPointer sum();
  ExpressionPointer concatenation();
  ExpressionPointer product();
  ExpressionPointer power();
  ExpressionPointer unary(bool with_filters = true);
  ExpressionPointer primary();
  ExpressionPointer literal();
  ExpressionPointer parenthesised();
  ExpressionPointer list();
  ExpressionPointer dict();
  ExpressionPointer postfixed();
  ExpressionPointer postfix(ExpressionPointer node);
  ExpressionPointer attribute(ExpressionPointer node);
  ExpressionPointer subscript(ExpressionPointer node);
  ExpressionPointer filtered(ExpressionPointer node);
  ExpressionPointer test(ExpressionPointer node);
  bool begins_argument() const;
  std::string dotted_name();
  void count_link();

  TokenStream& stream_;
  int links_ = 0;  // of chains such as a.b.c and a + b + c around the current place, bounded as they make deep trees
};

}  // namespace cleave::jinja
