#include "jinja/lexer.h"

#include <array>
#include <charconv>
#include <optional>

#include "base/error.h"
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

// The source as Jinja2 reads it: \r\n and \r become \n, and one newline at the end is left out.
std::string normalize(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      text.push_back('\n');
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    } else {
      text.push_back(source[i]);
    }
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  Lexer(std::string_view source, const std::string& what)
      : what_(what), text_(normalize(unicode::sanitize_utf8(source))) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) data();
    add(Token::Type::End, "");
    return std::move(tokens_);
  }

 private:
  // ---- Between tags

  // Takes the text up to the next tag, and the tag.
  void data() {
    size_t open = at_;
    while (open < text_.size() && !(text_[open] == '{' && is_tag(open))) ++open;
    std::string_view text = std::string_view(text_).substr(at_, open - at_);
    if (open == text_.size()) {
      add_data(text);
      advance(open);
      return;
    }
    const char kind = text_[open + 1];
    const char sign =
        open + 2 < text_.size() && (text_[open + 2] == '-' || text_[open + 2] == '+') ? text_[open + 2] : 0;
    if (sign == '-')
      text = without_trailing_space(text);
    else if (sign != '+' && kind != '{')
      text = without_indentation(text);
    add_data(text);
    advance(open);
    if (kind == '#') return comment();
    if (kind == '%' && raw(open, sign)) return;
    add(kind == '{' ? Token::Type::VariableBegin : Token::Type::BlockBegin, "");
    advance(open + (sign != 0 ? 3 : 2));
    tag(kind == '{');
  }

  bool is_tag(size_t at) const {
    return at + 1 < text_.size() && (text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#');
  }

  static std::string_view without_trailing_space(std::string_view text) {
    while (!text.empty()) {
      size_t last = text.size() - 1;
      while (last > 0 && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
      if (!unicode::is_python_space(unicode::utf8_at(text, last).code)) break;
      text = text.substr(0, last);
    }
    return text;
  }

  // The text without white space that stands alone between the beginning of a line and a tag.
  std::string_view without_indentation(std::string_view text) const {
    const size_t newline = text.rfind('\n');
    const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    if (line == 0 && !line_starts_) return text;
    return without_trailing_space(text.substr(line)).empty() ? text.substr(0, line) : text;
  }

  void comment() {
    size_t begin = at_ + 2;
    if (begin < text_.size() && (text_[begin] == '-' || text_[begin] == '+')) ++begin;
    const size_t end = text_.find("#}", begin);
    if (end == std::string::npos) syntax_error(what_, place_, "Missing end of comment tag");
    const char sign = end > begin ? text_[end - 1] : 0;
    advance(end + 2);
    end_tag(sign, true);
  }

  // Takes {% raw %} ... {% endraw %}; false for another block.
  bool raw(size_t open, char sign) {
    size_t at = open + (sign != 0 ? 3 : 2);
    if (!skip_word(at, "raw")) return false;
    const std::optional<char> end_sign = skip_block_end(at);
    if (!end_sign) return false;
    advance(at);
    if (*end_sign == '-') skip_space();
    for (size_t close = text_.find("{%", at_); close != std::string::npos; close = text_.find("{%", close + 1)) {
      size_t after = close + 2;
      const char close_sign = after < text_.size() && (text_[after] == '-' || text_[after] == '+') ? text_[after] : 0;
      if (close_sign != 0) ++after;
      if (!skip_word(after, "endraw")) continue;
      const std::optional<char> last_sign = skip_block_end(after);
      if (!last_sign) continue;
      std::string_view text = std::string_view(text_).substr(at_, close - at_);
      line_starts_ = false;
      add_data(close_sign == '-' ? without_trailing_space(text) : close_sign == '+' ? text : without_indentation(text));
      advance(after);
      end_tag(*last_sign, true);
      return true;
    }
    syntax_error(what_, place_, "Missing end of raw directive");
  }

  // Skips white space, `word`, and white space again; false if another word stands here.
  bool skip_word(size_t& at, std::string_view word) const {
    at = space_end(at);
    if (std::string_view(text_).substr(at, word.size()) != word) return false;
    at = space_end(at + word.size());
    return true;
  }

  // Skips "%}", "-%}" or "+%}" and returns its sign; nothing if the block does not end here.
  std::optional<char> skip_block_end(size_t& at) const {
    const char sign = at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at] : '\0';
    const size_t end = at + (sign != 0 ? 1 : 0);
    if (std::string_view(text_).substr(end, 2) != "%}") return std::nullopt;
    at = end + 2;
    return sign;
  }

  // Trims the text behind a tag: all white space for the sign '-', and one newline behind blocks and comments.
  void end_tag(char sign, bool trims_newline) {
    line_starts_ = false;
    if (sign == '-') {
      const size_t end = space_end(at_);
      line_starts_ = end > at_ && text_[end - 1] == '\n';
      advance(end);
    } else if (trims_newline && sign != '+' && at_ < text_.size() && text_[at_] == '\n') {
      line_starts_ = true;
      advance(at_ + 1);
    }
  }

  size_t space_end(size_t at) const {
    while (at < text_.size()) {
      const unicode::Utf8Char c = unicode::valid_utf8_at(text_, at);
      if (!unicode::is_python_space(c.code)) break;
      at += c.size;
    }
    return at;
  }
  void skip_space() { advance(space_end(at_)); }

  void add_data(std::string_view text) {
    if (!text.empty()) add(Token::Type::Data, std::string(text));
  }

  // ---- Within tags

  void tag(bool variable) {
    std::string open;  // the brackets that are open
    for (;;) {
      skip_space();
      if (at_ >= text_.size())
        syntax_error(
            what_, place_,
            variable ? "unexpected end of template, expected '}}'" : "unexpected end of template, expected '%}'");
      if (open.empty() && end(variable)) return;
      const char c = text_[at_];
      if (c == '\'' || c == '"')
        string();
      else if (is_digit(c))
        number();
      else if (is_name_start(unicode::valid_utf8_at(text_, at_).code))
        name();
      else
        operation(open);
    }
  }

  bool end(bool variable) {
    const char sign = text_[at_] == '-' || (text_[at_] == '+' && !variable) ? text_[at_] : 0;
    const size_t at = at_ + (sign != 0 ? 1 : 0);
    if (std::string_view(text_).substr(at, 2) != (variable ? "}}" : "%}")) return false;
    add(variable ? Token::Type::VariableEnd : Token::Type::BlockEnd, "");
    advance(at + 2);
    end_tag(sign, !variable);
    return true;
  }

  void string() {
    const char quote = text_[at_];
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) syntax_error(what_, place_, "a string that does not end");
    std::string value;
    if (!read_string_literal(std::string_view(text_).substr(at_ + 1, end - at_ - 1), value))
      syntax_error(what_, place_, "a string with an escape that is not known");
    add(Token::Type::String, std::move(value));
    advance(end + 1);
  }

  size_t digits_end(size_t at) const {
    while (at < text_.size() &&
           (is_digit(text_[at]) || (text_[at] == '_' && at + 1 < text_.size() && is_digit(text_[at + 1]))))
      ++at;
    return at;
  }

  void number() {
    size_t end = digits_end(at_);
    bool is_float = false;
    // matrix.0.1 has no fraction in it.
    if (at_ == 0 || text_[at_ - 1] != '.') {
      if (end + 1 < text_.size() && text_[end] == '.' && is_digit(text_[end + 1])) {
        is_float = true;
        end = digits_end(end + 1);
      }
      if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
        size_t digits = end + 1;
        if (digits < text_.size() && (text_[digits] == '+' || text_[digits] == '-')) ++digits;
        if (digits < text_.size() && is_digit(text_[digits])) {
          is_float = true;
          end = digits_end(digits);
        }
      }
    }
    std::string value;
    for (size_t i = at_; i < end; ++i)
      if (text_[i] != '_') value.push_back(text_[i]);
    add(is_float ? Token::Type::Float : Token::Type::Integer, std::move(value));
    advance(end);
  }

  void name() {
    size_t end = at_;
    while (end < text_.size()) {
      const unicode::Utf8Char c = unicode::valid_utf8_at(text_, end);
      if (!is_name_start(c.code) && !unicode::is_word(c.code)) break;
      end += c.size;
    }
    add(Token::Type::Name, text_.substr(at_, end - at_));
    advance(end);
  }

  void operation(std::string& open) {
    static constexpr std::array<std::string_view, 7> kLong = {"==", "!=", ">=", "<=", "//", "**", "~"};
    std::string_view rest = std::string_view(text_).substr(at_);
    std::string_view found;
    for (const std::string_view candidate : kLong)
      if (rest.starts_with(candidate)) found = candidate;
    if (found.empty() && std::string_view("+-/*%~[](){}><=.:|,;").find(rest[0]) != std::string_view::npos)
      found = rest.substr(0, 1);
    if (found.empty())
      syntax_error(what_, place_,
                   fmt::format("unexpected char '{}'", rest.substr(0, unicode::valid_utf8_at(rest, 0).size)));
    if (found == "(" || found == "[" || found == "{")
      open.push_back(found[0] == '(' ? ')' : found[0] == '[' ? ']' : '}');
    if (found == ")" || found == "]" || found == "}") {
      if (open.empty()) syntax_error(what_, place_, fmt::format("unexpected '{}'", found));
      if (open.back() != found[0])
        syntax_error(what_, place_, fmt::format("unexpected '{}', expected '{}'", found, open.back()));
      open.pop_back();
    }
    add(Token::Type::Operator, std::string(found));
    advance(at_ + found.size());
  }

  // ----

  void add(Token::Type type, std::string value) { tokens_.push_back({type, std::move(value), place_}); }

  void advance(size_t to) {
    for (; at_ < to; ++at_) {
      if (text_[at_] == '\n') {
        ++place_.line;
        place_.column = 1;
      } else if ((static_cast<uint8_t>(text_[at_]) & 0xC0) != 0x80) {
        ++place_.column;
      }
    }
  }

  const std::string& what_;
  std::string text_;
  size_t at_ = 0;
  Place place_;              // the line and column of at_
  bool line_starts_ = true;  // whether a line begins where the last tag ended
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, const std::string& what) {
  return Lexer(source, what).run();
}

void syntax_error(const std::string& what, Place place, std::string_view message) {
  fail(ErrorKind::Corrupt, "{}:{}:{}: TemplateSyntaxError: {}", what, place.line, place.column, message);
}

}  // namespace cleave::jinja
