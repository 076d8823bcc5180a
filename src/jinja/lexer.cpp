#include "jinja/lexer.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "jinja/source_cursor.h"
#include "jinja/tag_lexer.h"
#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

std::string_view without_trailing_space(std::string_view text) {
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<uint8_t>(text[last]) & 0xC0) == 0x80) --last;
    if (!unicode::is_python_space(unicode::utf8_at(text, last).code)) break;
    text = text.substr(0, last);
  }
  return text;
}

// Goes through the text between tags; the inside of a tag is for tag_lexer.h.
class Lexer {
 public:
  Lexer(std::string_view source, const std::string& what) : source_(source, what), text_(source_.text()) {}

  std::vector<Token> run() {
    while (!source_.at_end()) data();
    add(Token::Type::End, "");
    return std::move(tokens_);
  }

 private:
  // Takes the text up to the next tag, and the tag.
  void data() {
    const size_t open = next_tag();
    const std::string_view text = text_.substr(source_.at(), open - source_.at());
    if (open == text_.size()) {
      add_data(text);
      source_.advance(open);
      return;
    }
    const char kind = text_[open + 1];
    const char sign = source_.sign_at(open + 2);
    add_data(kind == '{' && sign == '\0' ? text : trimmed(text, sign));
    source_.advance(open);
    if (kind == '#') return comment();
    if (kind == '%' && raw(sign)) return;
    add(kind == '{' ? Token::Type::VariableBegin : Token::Type::BlockBegin, "");
    source_.advance(open + (sign != 0 ? 3 : 2));
    end_tag(read_tag(source_, kind == '{', tokens_), kind != '{');
  }

  // The position of the next "{{", "{%" or "{#"; the end of the text if there is none.
  size_t next_tag() const {
    for (size_t at = source_.at(); at + 1 < text_.size(); ++at)
      if (text_[at] == '{' && (text_[at + 1] == '{' || text_[at + 1] == '%' || text_[at + 1] == '#')) return at;
    return text_.size();
  }

  // The text before a block or comment with that sign.
  std::string_view trimmed(std::string_view text, char sign) const {
    return sign == '-' ? without_trailing_space(text) : sign == '+' ? text : without_indentation(text);
  }

  // The text without white space that stands alone between the beginning of a line and a tag.
  std::string_view without_indentation(std::string_view text) const {
    const size_t newline = text.rfind('\n');
    const size_t line = newline == std::string_view::npos ? 0 : newline + 1;
    if (line == 0 && !line_starts_) return text;
    return without_trailing_space(text.substr(line)).empty() ? text.substr(0, line) : text;
  }

  void comment() {
    size_t begin = source_.at() + 2;
    if (source_.sign_at(begin) != 0) ++begin;
    const size_t end = text_.find("#}", begin);
    if (end == std::string_view::npos) source_.fail("Missing end of comment tag");
    const char sign = end > begin ? text_[end - 1] : '\0';
    source_.advance(end + 2);
    end_tag(sign, true);
  }

  // Takes {% raw %} ... {% endraw %}, where `sign` stands behind the first "{%"; false for another block.
  bool raw(char sign) {
    size_t at = source_.at() + (sign != 0 ? 3 : 2);
    const std::optional<char> begin_sign = skip_block(at, "raw");
    if (!begin_sign) return false;
    source_.advance(at);
    if (*begin_sign == '-') source_.skip_space();
    const size_t begin = source_.at();
    for (size_t close = text_.find("{%", begin); close != std::string_view::npos; close = text_.find("{%", close + 1)) {
      const char close_sign = source_.sign_at(close + 2);
      size_t after = close + (close_sign != 0 ? 3 : 2);
      const std::optional<char> end_sign = skip_block(after, "endraw");
      if (!end_sign) continue;
      line_starts_ = false;
      add_data(trimmed(text_.substr(begin, close - begin), close_sign));
      source_.advance(after);
      end_tag(*end_sign, true);
      return true;
    }
    source_.fail("Missing end of raw directive");
  }

  // Moves `at` behind the inside of a block that is `word` alone, and its end, and returns the sign of the end; nothing
  // for another block.
  std::optional<char> skip_block(size_t& at, std::string_view word) const {
    const size_t begin = source_.space_end(at);
    if (text_.substr(begin, word.size()) != word) return std::nullopt;
    const size_t end = source_.space_end(begin + word.size());
    const char sign = source_.sign_at(end);
    const size_t close = end + (sign != 0 ? 1 : 0);
    if (text_.substr(close, 2) != "%}") return std::nullopt;
    at = close + 2;
    return sign;
  }

  // Trims the text behind a tag: all white space for the sign '-', and one newline behind blocks and comments.
  void end_tag(char sign, bool trims_newline) {
    line_starts_ = false;
    if (sign == '-') {
      const size_t end = source_.space_end(source_.at());
      line_starts_ = end > source_.at() && text_[end - 1] == '\n';
      source_.advance(end);
    } else if (trims_newline && sign != '+' && !source_.at_end() && text_[source_.at()] == '\n') {
      line_starts_ = true;
      source_.advance(source_.at() + 1);
    }
  }

  void add_data(std::string_view text) {
    if (!text.empty()) add(Token::Type::Data, std::string(text));
  }

  void add(Token::Type type, std::string value) { tokens_.push_back({type, std::move(value), source_.place()}); }

  SourceCursor source_;
  std::string_view text_;
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
