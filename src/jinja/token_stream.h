#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/lexer.h"

namespace cleave::jinja {

/// The tokens of a template, read from left to right. The last one is Token::Type::End and is never passed.
class TokenStream {
 public:
  TokenStream(std::vector<Token> tokens, const std::string& what) : tokens_(std::move(tokens)), what_(what) {}

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Place place() const { return current().place; }
  /// Takes the current token and returns it.
  Token next();

  bool is(Token::Type type) const { return current().type == type; }
  bool is_name(std::string_view name) const { return is(Token::Type::Name) && current().value == name; }
  bool is_operator(std::string_view text) const { return is(Token::Type::Operator) && current().value == text; }

  /// Whether a tuple without parentheses ends here: behind its last comma nothing need follow.
  bool ends_tuple() const;

  // Take the current token if it is that name or operator; false if it is not.
  bool skip_name(std::string_view name);
  bool skip_operator(std::string_view text);

  // Take the current token, or throw a syntax error that says what was wanted and what is there.
  std::string expect_name();
  void expect_name(std::string_view name);
  void expect_operator(std::string_view text);
  void expect(Token::Type type);

  /// The number of tokens taken so far.
  size_t position() const { return at_; }
  /// Whether a name is among the tokens taken since a position().
  bool has_read(std::string_view name, size_t since) const;

  /// Throws a syntax error at the current token.
  [[noreturn]] void fail(std::string_view message) const { syntax_error(what_, place(), message); }

  /// Counts as one nested part until destruction. Throws a syntax error beyond what the machine stack can take.
  class Nesting {
   public:
    explicit Nesting(TokenStream& stream);
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    ~Nesting() { --stream_.depth_; }

   private:
    TokenStream& stream_;
  };

 private:
  std::string shown() const;

  std::vector<Token> tokens_;
  const std::string& what_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace cleave::jinja
