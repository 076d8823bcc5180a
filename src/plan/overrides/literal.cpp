#include "plan/overrides/literal.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::plan {
namespace {

constexpr int kMaxDepth = 16;        // nobody nests names deeper than three levels
constexpr size_t kShownBytes = 80;   // of the text in a message
constexpr size_t kShownBefore = 40;  // of them before the place of an error
constexpr std::string_view kBlanks = " \t\r\n";

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

void append_utf8(unsigned code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  Json document() {
    Json result = value(0);
    skip_blanks();
    if (position_ < text_.size()) wrong("the end of the text");
    return result;
  }

 private:
  [[noreturn]] void wrong(std::string_view wanted) const { fail_at(text_, position_, wanted, where_); }

  char peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  void skip_blanks() { position_ = std::min(text_.find_first_not_of(kBlanks, position_), text_.size()); }

  bool take(char c) {
    skip_blanks();
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  Json value(int depth) {
    skip_blanks();
    if (depth > kMaxDepth) wrong("nesting of no more than 16 levels");
    switch (peek()) {
      case '{':
        ++position_;
        return braces(depth);
      case '[':
        ++position_;
        return elements(']', depth);
      case '(':
        ++position_;
        return elements(')', depth);
      default:
        return scalar();
    }
  }

  // Elements up to `close`, behind those of `array`; a comma behind the last one is allowed.
  Json elements(char close, int depth, Json array = Json::array()) {
    while (!take(close)) {
      array.push_back(value(depth + 1));
      if (!separated(close)) break;
    }
    return array;
  }

  // Whether a comma follows, and not the end of the sequence.
  bool separated(char close) {
    if (take(',')) return true;
    if (!take(close)) wrong(fmt::format("',' or '{}'", close));
    return false;
  }

  // A dictionary, or a set where the first element has no colon behind it. {} is a dictionary.
  Json braces(int depth) {
    Json object = Json::object();
    while (!take('}')) {
      skip_blanks();
      const size_t key_position = position_;
      Json key = value(depth + 1);
      if (!take(':')) {
        if (!object.empty()) wrong("':'");
        Json set = Json::array({std::move(key)});
        return separated('}') ? elements('}', depth, std::move(set)) : set;
      }
      if (!key.is_string()) fail_at(text_, key_position, "a name in quotes before ':'", where_);
      object[key.get_ref<const std::string&>()] = value(depth + 1);
      if (!separated('}')) break;
    }
    return object;
  }

  Json scalar() {
    struct Word {
      std::string_view text;
      std::optional<bool> value;  // nothing: null
    };
    static constexpr std::array<Word, 6> kWords = {Word{"None", {}}, {"null", {}},     {"True", true},
                                                   {"true", true},   {"False", false}, {"false", false}};
    for (const Word& word : kWords) {
      if (!text_.substr(position_).starts_with(word.text)) continue;
      position_ += word.text.size();
      return word.value ? Json(*word.value) : Json(nullptr);
    }
    // r'...' keeps backslashes; u'...' is what Python 2 wrote.
    const bool has_prefix = position_ + 1 < text_.size() &&
                            std::string_view("rRuU").find(peek()) != std::string_view::npos &&
                            is_quote(text_[position_ + 1]);
    const bool raw = has_prefix && (peek() == 'r' || peek() == 'R');
    if (has_prefix) ++position_;
    if (!is_quote(peek())) wrong("a name in quotes, a list or a dictionary");
    return quoted(raw);
  }

  static bool is_quote(char c) { return c == '\'' || c == '"'; }

  std::string quoted(bool raw) {
    const size_t start = position_;
    const char quote = text_[position_++];
    std::string result;
    while (position_ < text_.size() && text_[position_] != quote) {
      if (text_[position_] == '\\' && position_ + 1 < text_.size())
        escape(raw, result);
      else
        result += text_[position_++];
    }
    if (position_ >= text_.size()) fail_at(text_, start, fmt::format("a closing {}", quote), where_);
    ++position_;
    return result;
  }

  // As in Python, a backslash before any other character stands for itself: '\.' needs no doubling.
  void escape(bool raw, std::string& result) {
    const char c = text_[position_ + 1];
    static constexpr std::string_view kNames = "\\'\"/ntrbf";
    static constexpr std::string_view kValues = "\\'\"/\n\t\r\b\f";
    const size_t known = kNames.find(c);
    if (!raw && (c == 'u' || c == 'x')) return hexadecimal(c == 'u' ? 4 : 2, result);
    if (raw || known == std::string_view::npos)
      result.append({'\\', c});
    else
      result += kValues[known];
    position_ += 2;
  }

  void hexadecimal(size_t digits, std::string& result) {
    const std::string_view number = text_.substr(position_ + 2, digits);
    if (number.size() < digits || number.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
      position_ += 2;
      wrong(fmt::format("{} hexadecimal digits", digits));
    }
    append_utf8(static_cast<unsigned>(std::stoul(std::string(number), nullptr, 16)), result);
    position_ += 2 + digits;
  }

  std::string_view text_;
  const std::string& where_;
  size_t position_ = 0;
};

}  // namespace

Json parse_literal(std::string_view text, const std::string& where) {
  return Parser(text, where).document();
}

void fail_at(std::string_view text, size_t position, std::string_view wanted, const std::string& where) {
  const auto column = 1 + position -
                      static_cast<size_t>(std::count_if(text.begin(), text.begin() + static_cast<ptrdiff_t>(position),
                                                        is_continuation));
  const std::string saw =
      position < text.size() ? fmt::format("'{}'", printable(text.substr(position, 1))) : "the end of the text";
  const size_t begin = position > kShownBefore ? position - kShownBefore : 0;
  const std::string_view window = text.substr(begin, kShownBytes);
  fail(ErrorKind::InvalidArgument, "{}: wanted {} at column {}, saw {} in {}{}{}", where, wanted, column, saw,
       begin > 0 ? "..." : "", printable(window), begin + window.size() < text.size() ? "..." : "");
}

}  // namespace cleave::plan
