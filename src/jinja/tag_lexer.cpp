#include "jinja/tag_lexer.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "jinja/string_literal.h"
#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

bool is_name_start(char32_t code) {
  return code == U'_' || (code < 0x80 ? (code | 0x20) >= 'a' && (code | 0x20) <= 'z' : unicode::is_letter(code));
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class TagLexer {
 public:
  TagLexer(SourceCursor& source, bool variable, std::vector<Token>& tokens)
      : source_(source), text_(source.text()), variable_(variable), tokens_(tokens) {}

  char run() {
    for (;;) {
      source_.skip_space();
      if (source_.at_end()) source_.fail(fmt::format("unexpected end of template, expected '{}'", end_text()));
      if (brackets_.empty())
        if (const std::optional<char> sign = end()) return *sign;
      token();
    }
  }

 private:
  void token() {
    const char c = text_[source_.at()];
    if (c == '\'' || c == '"')
      string();
    else if (is_digit(c))
      number();
    else if (is_name_start(unicode::valid_utf8_at(text_, source_.at()).code))
      name();
    else
      operation();
  }

  std::string_view end_text() const { return variable_ ? "}}" : "%}"; }

  // Takes the end of the tag and returns its sign; nothing if the tag goes on.
  std::optional<char> end() {
    char sign = source_.sign_at(source_.at());
    if (sign == '+' && variable_) sign = '\0';
    const size_t at = source_.at() + (sign != 0 ? 1 : 0);
    if (text_.substr(at, 2) != end_text()) return std::nullopt;
    add(variable_ ? Token::Type::VariableEnd : Token::Type::BlockEnd, "", at + 2);
    return sign;
  }

  void string() {
    const size_t begin = source_.at();
    size_t end = begin + 1;
    while (end < text_.size() && text_[end] != text_[begin]) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) source_.fail("a string that does not end");
    std::string value;
    if (!read_string_literal(text_.substr(begin + 1, end - begin - 1), value))
      source_.fail("a string with an escape that is not known");
    add(Token::Type::String, std::move(value), end + 1);
  }

  // The end of the digits from `at` on, which may have single underscores between them.
  size_t digits_end(size_t at) const {
    while (at < text_.size() &&
           (is_digit(text_[at]) || (text_[at] == '_' && at + 1 < text_.size() && is_digit(text_[at + 1]))))
      ++at;
    return at;
  }

  // The end of the fraction and the exponent behind the digits of an integer; `end` if there are none.
  size_t fraction_end(size_t end) const {
    if (end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1])) end = digits_end(end + 1);
    if (end >= text_.size() || (text_[end] != 'e' && text_[end] != 'E')) return end;
    const size_t digits = end + 1 + (source_.sign_at(end + 1) != 0 ? 1 : 0);
    return digits < text_.size() && is_digit(text_[digits]) ? digits_end(digits) : end;
  }

  void number() {
    const size_t begin = source_.at();
    const size_t integer_end = digits_end(begin);
    const bool is_index = begin > 0 && text_[begin - 1] == '.';  // matrix.0.1 has no fraction in it
    const size_t end = is_index ? integer_end : fraction_end(integer_end);
    std::string value;
    for (size_t i = begin; i < end; ++i)
      if (text_[i] != '_') value.push_back(text_[i]);
    add(end > integer_end ? Token::Type::Float : Token::Type::Integer, std::move(value), end);
  }

  void name() {
    size_t end = source_.at();
    while (end < text_.size()) {
      const unicode::Utf8Char c = unicode::valid_utf8_at(text_, end);
      if (!is_name_start(c.code) && !unicode::is_word(c.code)) break;
      end += c.size;
    }
    add(Token::Type::Name, std::string(text_.substr(source_.at(), end - source_.at())), end);
  }

  void operation() {
    static constexpr std::array<std::string_view, 7> kLong = {"==", "!=", ">=", "<=", "//", "**", "~"};
    const std::string_view rest = text_.substr(source_.at());
    std::string_view found;
    for (const std::string_view candidate : kLong)
      if (rest.starts_with(candidate)) found = candidate;
    if (found.empty() && std::string_view("+-/*%~[](){}><=.:|,;").find(rest[0]) != std::string_view::npos)
      found = rest.substr(0, 1);
    if (found.empty())
      source_.fail(fmt::format("unexpected char '{}'", rest.substr(0, unicode::valid_utf8_at(rest, 0).size)));
    count_bracket(found[0]);
    add(Token::Type::Operator, std::string(found), source_.at() + found.size());
  }

  void count_bracket(char c) {
    if (c == '(' || c == '[' || c == '{') brackets_.push_back(c == '(' ? ')' : c == '[' ? ']' : '}');
    if (c != ')' && c != ']' && c != '}') return;
    if (brackets_.empty()) source_.fail(fmt::format("unexpected '{}'", c));
    if (brackets_.back() != c) source_.fail(fmt::format("unexpected '{}', expected '{}'", c, brackets_.back()));
    brackets_.pop_back();
  }

  // Appends the token that begins here and moves to its end.
  void add(Token::Type type, std::string value, size_t end) {
    tokens_.push_back({type, std::move(value), source_.place()});
    source_.advance(end);
  }

  SourceCursor& source_;
  std::string_view text_;
  bool variable_;
  std::vector<Token>& tokens_;
  std::string brackets_;  // the closing brackets of those that are open
};

}  // namespace

char read_tag(SourceCursor& source, bool variable, std::vector<Token>& tokens) {
  return TagLexer(source, variable, tokens).run();
}

}  // namespace cleave::jinja
