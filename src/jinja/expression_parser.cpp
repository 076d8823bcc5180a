#include "jinja/expression_parser.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace cleave::jinja {
namespace {

using Type = Token::Type;

// Limit of the links in chains such as a.b.c and a + b + c, counted from the outermost expression. Each link is a level
// of the tree, and rendering and freeing go that deep.
constexpr int kMaxLinks = 300;

}  // namespace

void ExpressionParser::count_link() {
  if (++links_ > kMaxLinks) stream_.fail(fmt::format("an expression of more than {} parts", kMaxLinks));
}

ExpressionPointer ExpressionParser::expression(bool conditional) {
  const TokenStream::Nesting nesting(stream_);
  const int outer_links = links_;
  const Place place = stream_.place();
  ExpressionPointer node = logical_or();
  while (conditional && stream_.skip_name("if")) {
    count_link();
    ExpressionPointer condition = logical_or();
    ExpressionPointer no = stream_.skip_name("else") ? expression() : nullptr;
    node = make_conditional(place, std::move(condition), std::move(node), std::move(no));
  }
  links_ = outer_links;
  return node;
}

ExpressionPointer ExpressionParser::logical_or() {
  ExpressionPointer left = logical_and();
  for (Place place = stream_.place(); stream_.skip_name("or"); place = stream_.place()) {
    count_link();
    left = make_logical(place, false, std::move(left), logical_and());
  }
  return left;
}

ExpressionPointer ExpressionParser::logical_and() {
  ExpressionPointer left = logical_not();
  for (Place place = stream_.place(); stream_.skip_name("and"); place = stream_.place()) {
    count_link();
    left = make_logical(place, true, std::move(left), logical_not());
  }
  return left;
}

ExpressionPointer ExpressionParser::logical_not() {
  if (!stream_.is_name("not")) return comparison();
  const TokenStream::Nesting nesting(stream_);
  const Place place = stream_.next().place;
  return make_not(place, logical_not());
}

ExpressionPointer ExpressionParser::comparison() {
  static constexpr std::array<std::pair<std::string_view, Comparison>, 6> kOperators = {
      {{"==", Comparison::Equal},
       {"!=", Comparison::NotEqual},
       {"<", Comparison::Less},
       {"<=", Comparison::LessEqual},
       {">", Comparison::Greater},
       {">=", Comparison::GreaterEqual}}};
  ExpressionPointer first = sum();
  std::vector<std::pair<Comparison, ExpressionPointer>> rest;
  const Place place = stream_.place();
  for (bool found = true; found;) {
    found = false;
    for (const auto& [text, comparison] : kOperators)
      if (!found && stream_.skip_operator(text)) {
        rest.emplace_back(comparison, sum());
        found = true;
      }
    if (found) continue;
    if (stream_.skip_name("in")) {
      rest.emplace_back(Comparison::In, sum());
      found = true;
    } else if (stream_.is_name("not") && stream_.ahead().type == Type::Name && stream_.ahead().value == "in") {
      stream_.next();
      stream_.next();
      rest.emplace_back(Comparison::NotIn, sum());
      found = true;
    }
  }
  return rest.empty() ? std::move(first) : make_comparison(place, std::move(first), std::move(rest));
}

ExpressionPointer ExpressionParser::sum() {
  ExpressionPointer left = concatenation();
  for (;;) {
    const Place place = stream_.place();
    const bool add = stream_.is_operator("+");
    if (!add && !stream_.is_operator("-")) return left;
    stream_.next();
    count_link();
    left = make_operation(place, add ? Operation::Add : Operation::Subtract, std::move(left), concatenation());
  }
}

ExpressionPointer ExpressionParser::concatenation() {
  const Place place = stream_.place();
  Expressions parts;
  parts.push_back(product());
  while (stream_.skip_operator("~")) parts.push_back(product());
  return parts.size() == 1 ? std::move(parts.front()) : make_concatenation(place, std::move(parts));
}

ExpressionPointer ExpressionParser::product() {
  static constexpr std::array<std::pair<std::string_view, Operation>, 4> kOperators = {
      {{"*", Operation::Multiply}, {"/", Operation::Divide}, {"//", Operation::FloorDivide}, {"%", Operation::Modulo}}};
  ExpressionPointer left = power();
  for (bool found = true; found;) {
    found = false;
    for (const auto& [text, operation] : kOperators) {
      const Place place = stream_.place();
      if (!stream_.skip_operator(text)) continue;
      count_link();
      left = make_operation(place, operation, std::move(left), power());
      found = true;
      break;
    }
  }
  return left;
}

ExpressionPointer ExpressionParser::power() {
  ExpressionPointer left = unary();
  for (Place place = stream_.place(); stream_.skip_operator("**"); place = stream_.place()) {
    count_link();
    left = make_operation(place, Operation::Power, std::move(left), unary());
  }
  return left;
}

ExpressionPointer ExpressionParser::unary(bool with_filters) {
  const TokenStream::Nesting nesting(stream_);
  const Place place = stream_.place();
  ExpressionPointer node;
  if (stream_.skip_operator("-"))
    node = make_sign(place, true, unary(false));
  else if (stream_.skip_operator("+"))
    node = make_sign(place, false, unary(false));
  else
    node = primary();
  node = postfix(std::move(node));
  return with_filters ? filtered(std::move(node)) : std::move(node);
}

ExpressionPointer ExpressionParser::primary() {
  const Place place = stream_.place();
  if (stream_.skip_operator("(")) return parenthesised();
  if (stream_.skip_operator("[")) return list();
  if (stream_.skip_operator("{")) return dict();
  if (!stream_.is(Type::Name)) return literal();
  const std::string name = stream_.next().value;
  if (name == "true" || name == "True") return make_constant(place, true);
  if (name == "false" || name == "False") return make_constant(place, false);
  if (name == "none" || name == "None") return make_constant(place, {});
  return make_name(place, name);
}

ExpressionPointer ExpressionParser::literal() {
  const Token token = stream_.current();
  if (token.type == Type::String) {
    std::string text;
    while (stream_.is(Type::String)) text += stream_.next().value;  // neighbouring literals are one text
    return make_constant(token.place, Value::text(nullptr, std::move(text)));
  }
  const char* end = token.value.data() + token.value.size();
  if (token.type == Type::Integer) {
    int64_t number = 0;
    if (std::from_chars(token.value.data(), end, number).ec != std::errc()) stream_.fail("an integer beyond 64 bits");
    stream_.next();
    return make_constant(token.place, number);
  }
  if (token.type == Type::Float) {
    double number = 0;
    if (std::from_chars(token.value.data(), end, number).ec != std::errc()) stream_.fail("a number beyond a double");
    stream_.next();
    return make_constant(token.place, number);
  }
  stream_.fail(token.type == Type::End ? "unexpected end of template"
                                       : fmt::format("expected an expression, got '{}'", token.value));
}

// Parses what stands behind "(": an expression or a tuple, which may be empty.
ExpressionPointer ExpressionParser::parenthesised() {
  const Place place = stream_.place();
  if (stream_.skip_operator(")")) return make_sequence(place, Sequence::Type::Tuple, {});
  ExpressionPointer node = tuple();
  stream_.expect_operator(")");
  return node;
}

ExpressionPointer ExpressionParser::tuple(bool conditional) {
  const Place place = stream_.place();
  Expressions items;
  items.push_back(expression(conditional));
  bool is_tuple = false;
  while (stream_.skip_operator(",")) {
    is_tuple = true;
    if (stream_.ends_tuple()) break;
    items.push_back(expression(conditional));
  }
  return is_tuple ? make_sequence(place, Sequence::Type::Tuple, std::move(items)) : std::move(items.front());
}

ExpressionPointer ExpressionParser::list() {
  const Place place = stream_.place();
  Expressions items;
  while (!stream_.is_operator("]")) {
    if (!items.empty()) stream_.expect_operator(",");
    if (stream_.is_operator("]")) break;
    items.push_back(expression());
  }
  stream_.expect_operator("]");
  return make_sequence(place, Sequence::Type::List, std::move(items));
}

ExpressionPointer ExpressionParser::dict() {
  const Place place = stream_.place();
  std::vector<std::pair<ExpressionPointer, ExpressionPointer>> entries;
  while (!stream_.is_operator("}")) {
    if (!entries.empty()) stream_.expect_operator(",");
    if (stream_.is_operator("}")) break;
    ExpressionPointer key = expression();
    stream_.expect_operator(":");
    entries.emplace_back(std::move(key), expression());
  }
  stream_.expect_operator("}");
  return make_dict(place, std::move(entries));
}

// Parses the argument of a test without parentheses: a value with attributes, items and arguments behind it.
ExpressionPointer ExpressionParser::postfixed() {
  const TokenStream::Nesting nesting(stream_);
  return postfix(primary());
}

ExpressionPointer ExpressionParser::postfix(ExpressionPointer node) {
  for (;;) {
    const Place place = stream_.place();
    if (stream_.is_operator("."))
      node = attribute(std::move(node));
    else if (stream_.is_operator("["))
      node = subscript(std::move(node));
    else if (stream_.is_operator("("))
      node = make_call(place, std::move(node), call_arguments());
    else
      return node;
    count_link();
  }
}

ExpressionPointer ExpressionParser::attribute(ExpressionPointer node) {
  const Place place = stream_.next().place;
  if (stream_.is(Type::Name)) return make_attribute(place, std::move(node), stream_.next().value);
  if (!stream_.is(Type::Integer)) stream_.fail("expected name or number");
  return make_item(place, std::move(node), literal());
}

ExpressionPointer ExpressionParser::subscript(ExpressionPointer node) {
  const Place place = stream_.next().place;
  ExpressionPointer bounds[3];
  int colons = 0;
  for (int i = 0; i < 3; ++i) {
    if (!stream_.is_operator(":") && !stream_.is_operator("]")) bounds[i] = tuple();
    if (i < 2 && stream_.skip_operator(":"))
      ++colons;
    else
      break;
  }
  stream_.expect_operator("]");
  if (colons > 0)
    return make_slice(place, std::move(node), std::move(bounds[0]), std::move(bounds[1]), std::move(bounds[2]));
  if (bounds[0] == nullptr) stream_.fail("expected an expression between [ and ]");
  return make_item(place, std::move(node), std::move(bounds[0]));
}

ArgumentList ExpressionParser::call_arguments() {
  stream_.expect_operator("(");
  ArgumentList arguments;
  for (bool first = true; !stream_.is_operator(")"); first = false) {
    if (!first) {
      stream_.expect_operator(",");
      if (stream_.is_operator(")")) break;
    }
    if (stream_.skip_operator("**")) {
      if (arguments.dict != nullptr) stream_.fail("invalid syntax for function call expression");
      arguments.dict = expression();
    } else if (stream_.skip_operator("*")) {
      if (arguments.list != nullptr || arguments.dict != nullptr)
        stream_.fail("invalid syntax for function call expression");
      arguments.list = expression();
    } else if (stream_.is(Type::Name) && stream_.ahead().type == Type::Operator && stream_.ahead().value == "=") {
      std::string name = stream_.next().value;
      stream_.next();
      arguments.named.emplace_back(std::move(name), expression());
    } else {
      if (!arguments.named.empty() || arguments.dict != nullptr)
        stream_.fail("invalid syntax for function call expression");
      arguments.positional.push_back(expression());
    }
  }
  stream_.expect_operator(")");
  return arguments;
}

std::string ExpressionParser::dotted_name() {
  std::string name = stream_.expect_name();
  while (stream_.skip_operator(".")) name.append(".").append(stream_.expect_name());
  return name;
}

ExpressionPointer ExpressionParser::filtered(ExpressionPointer node) {
  for (;;) {
    const Place place = stream_.place();
    if (stream_.skip_operator("|")) {
      std::string name = dotted_name();
      ArgumentList arguments;
      if (stream_.is_operator("(")) arguments = call_arguments();
      node = make_filter(place, std::move(name), std::move(node), std::move(arguments));
    } else if (stream_.skip_name("is")) {
      node = test(std::move(node));
    } else if (stream_.is_operator("(")) {
      node = make_call(place, std::move(node), call_arguments());
    } else {
      return node;
    }
    count_link();
  }
}

// Whether an argument without parentheses follows the name of a test.
bool ExpressionParser::begins_argument() const {
  if (stream_.is(Type::Name)) return !stream_.is_name("else") && !stream_.is_name("or") && !stream_.is_name("and");
  return stream_.is(Type::String) || stream_.is(Type::Integer) || stream_.is(Type::Float) || stream_.is_operator("(") ||
         stream_.is_operator("[") || stream_.is_operator("{");
}

ExpressionPointer ExpressionParser::test(ExpressionPointer node) {
  const Place place = stream_.place();
  const bool negated = stream_.skip_name("not");
  std::string name = dotted_name();
  ArgumentList arguments;
  if (stream_.is_operator("(")) {
    arguments = call_arguments();
  } else if (begins_argument()) {
    if (stream_.is_name("is")) stream_.fail("You cannot chain multiple tests with is");
    arguments.positional.push_back(postfixed());
  }
  return make_test(place, std::move(name), std::move(node), std::move(arguments), negated);
}

BlockFilters ExpressionParser::filters() {
  BlockFilters result;
  do {
    std::string name = dotted_name();
    ArgumentList arguments;
    if (stream_.is_operator("(")) arguments = call_arguments();
    result.emplace_back(std::move(name), std::move(arguments));
    count_link();
  } while (stream_.skip_operator("|"));
  return result;
}

}  // namespace cleave::jinja
