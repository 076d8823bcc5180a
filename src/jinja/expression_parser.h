#pragma once

#include <string_view>
#include <vector>

#include "jinja/ast.h"
#include "jinja/token_stream.h"

namespace cleave::jinja {

/// Parses expressions from a stream, by recursive descent in the order of Jinja2's precedences.
class ExpressionParser {
 public:
  explicit ExpressionParser(TokenStream& stream) : stream_(stream) {}

  /// An expression; `conditional`: whether "a if b else c" is one.
  ExpressionPointer expression(bool conditional = true);
  /// One or, with commas between, several that form a tuple.
  ExpressionPointer tuple(bool conditional = true);
  ArgumentList call_arguments();
  /// What stands before a call's parentheses in `{% call %}`: a name with attributes, items and calls behind it.
  ExpressionPointer postfixed();
  /// "name(arguments)|name ..." of a block.
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
  ExpressionPointer postfix(ExpressionPointer node);
  ExpressionPointer attribute(ExpressionPointer node);
  ExpressionPointer subscript(ExpressionPointer node);
  ExpressionPointer filtered(ExpressionPointer node);
  ExpressionPointer test(ExpressionPointer node);
  bool begins_argument() const;
  std::string dotted_name();
  void count_link();

  TokenStream& stream_;
  int links_ = 0;  // of chains such as a.b.c and a + b + c around the current place: they make deep trees
};

}  // namespace cleave::jinja
