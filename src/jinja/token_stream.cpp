#include "jinja/token_stream.h"

#include <fmt/format.h>

#include "base/untrusted_text.h"

namespace cleave::jinja {
namespace {

constexpr int kMaxNesting = 100;

}  // namespace

Token TokenStream::next() {
  Token token = current();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenStream::ends_tuple() const {
  return is(Token::Type::VariableEnd) || is(Token::Type::BlockEnd) || is_operator(")") || is_name("in") ||
         is_name("recursive");
}

bool TokenStream::skip_name(std::string_view name) {
  if (!is_name(name)) return false;
  next();
  return true;
}

bool TokenStream::skip_operator(std::string_view text) {
  if (!is_operator(text)) return false;
  next();
  return true;
}

std::string TokenStream::expect_name() {
  if (!is(Token::Type::Name)) fail(fmt::format("expected a name, got {}", shown()));
  return next().value;
}

void TokenStream::expect_name(std::string_view name) {
  if (!skip_name(name)) fail(fmt::format("expected '{}', got {}", name, shown()));
}

void TokenStream::expect_operator(std::string_view text) {
  if (!skip_operator(text)) fail(fmt::format("expected '{}', got {}", text, shown()));
}

void TokenStream::expect(Token::Type type) {
  if (!is(type)) fail(fmt::format("expected {}, got {}", type == Token::Type::BlockEnd ? "'%}'" : "'}}'", shown()));
  next();
}

bool TokenStream::has_read(std::string_view name, size_t since) const {
  return std::any_of(tokens_.begin() + static_cast<std::ptrdiff_t>(since),
                     tokens_.begin() + static_cast<std::ptrdiff_t>(at_),
                     [&](const Token& token) { return token.type == Token::Type::Name && token.value == name; });
}

std::string TokenStream::shown() const {
  switch (current().type) {
    case Token::Type::End:
      return "the end of the template";
    case Token::Type::BlockEnd:
      return "'%}'";
    case Token::Type::VariableEnd:
      return "'}}'";
    case Token::Type::String:
      return "a string";
    default:
      return in_quotes(current().value, '\'');
  }
}

TokenStream::Nesting::Nesting(TokenStream& stream) : stream_(stream) {
  if (++stream_.depth_ > kMaxNesting) {
    --stream_.depth_;
    stream_.fail(fmt::format("nested deeper than {} levels", kMaxNesting));
  }
}

}  // namespace cleave::jinja
