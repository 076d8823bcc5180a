#include "response/literal.h"

#include <fmt/format.h>

#include "base/error.h"
#include "response/mark.h"

namespace cleave::response {
namespace {

constexpr int kMaxDepth = 64;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.' || c == '+' || static_cast<unsigned char>(c) >= 0x80;
}

std::string utf8(uint32_t code) {
  std::string text;
  if (code < 0x80) return text += static_cast<char>(code);
  if (code < 0x800) {
    text += static_cast<char>(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | (code >> 12));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
  } else {
    text += static_cast<char>(0xF0 | (code >> 18));
    text += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    text += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
  }
  return text += static_cast<char>(0x80 | (code & 0x3F));
}

/// A reader of one value. It fails by returning false, and what it gave is then without meaning.
class LiteralReader {
 public:
  LiteralReader(std::string_view text, const LiteralStyle& style) : text_(text), style_(style) {}

  bool value(OrderedJson& result, int depth) {
    skip_spaces();
    if (depth > kMaxDepth || at_ >= text_.size()) return false;
    const char c = text_[at_];
    if (c == '{') return object(result, depth);
    if (c == '[' || (c == '(' && style_.python)) return list(result, c == '[' ? ']' : ')', depth);
    std::string text;
    if (at_quote()) return string(text) && (result = std::move(text), true);
    return word(result);
  }
  size_t position() const { return at_; }

 private:
  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(std::string_view literal) {
    if (text_.substr(at_, literal.size()) != literal) return false;
    at_ += literal.size();
    return true;
  }
  bool at_quote() const {
    return text_.substr(at_, style_.quote.size()) == style_.quote || text_[at_] == '"' ||
           (style_.python && text_[at_] == '\'');
  }

  bool object(OrderedJson& result, int depth) {
    result = OrderedJson::object();
    ++at_;
    for (bool first = true;; first = false) {
      skip_spaces();
      if (take("}")) return true;
      if (!first && !take(",")) return false;
      skip_spaces();
      if (!first && style_.python && take("}")) return true;
      std::string key;
      if (at_ >= text_.size() || !(at_quote() ? string(key) : style_.bare_keys && bare_key(key))) return false;
      skip_spaces();
      if (!take(":") || !value(result[key], depth + 1)) return false;
    }
  }

  bool list(OrderedJson& result, char closing, int depth) {
    result = OrderedJson::array();
    ++at_;
    for (bool first = true;; first = false) {
      skip_spaces();
      if (take(std::string_view(&closing, 1))) return true;
      if (!first && !take(",")) return false;
      skip_spaces();
      if (!first && style_.python && take(std::string_view(&closing, 1))) return true;
      result.push_back(nullptr);
      if (!value(result.back(), depth + 1)) return false;
    }
  }

  bool bare_key(std::string& key) {
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    key = text_.substr(begin, at_ - begin);
    return at_ > begin;
  }

  bool string(std::string& result) {
    const bool custom = style_.quote != "\"" && text_.substr(at_, style_.quote.size()) == style_.quote;
    const std::string quote = custom ? style_.quote : std::string(1, text_[at_]);
    at_ += quote.size();
    if (custom) {
      const size_t end = text_.find(quote, at_);
      if (end == std::string_view::npos) return false;
      result = text_.substr(at_, end - at_);
      at_ = end + quote.size();
      return true;
    }
    while (at_ < text_.size() && text_[at_] != quote[0]) {
      if (text_[at_] != '\\')
        result += text_[at_++];
      else if (!escape(result))
        return false;
    }
    return take(quote);
  }

  bool escape(std::string& result) {
    constexpr std::string_view kNames = "bfnrt0av";
    constexpr std::string_view kValues("\b\f\n\r\t\0\a\v", 8);
    if (++at_ >= text_.size()) return false;
    const char c = text_[at_++];
    uint32_t code = 0;
    if (c == 'u' || c == 'x' || (c == 'U' && style_.python)) {
      if (!hex(c == 'x' ? 2 : c == 'u' ? 4 : 8, code)) return false;
      if (code >= 0xD800 && code < 0xDC00) {
        uint32_t low = 0;
        if (!take("\\u") || !hex(4, low) || low < 0xDC00 || low > 0xDFFF) return false;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
      }
      if (code > 0x10FFFF || (code >= 0xDC00 && code < 0xE000)) return false;
      result += utf8(code);
      return true;
    }
    const size_t name = kNames.find(c);
    if (c == '\n') return true;  // a line that goes on
    if (name == std::string_view::npos && c != '\\' && c != '"' && c != '\'' && c != '/') result += '\\';
    result += name == std::string_view::npos ? c : kValues[name];
    return true;
  }

  bool hex(int digits, uint32_t& code) {
    for (int i = 0; i < digits; ++i, ++at_) {
      if (at_ >= text_.size()) return false;
      const char c = text_[at_];
      const size_t digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
      if (digit == std::string_view::npos || c < '0') return false;
      code = code * 16 + static_cast<uint32_t>(digit);
    }
    return true;
  }

  bool word(OrderedJson& result) {
    const size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    const bool json = style_.is_json();
    if (name == "true" || (!json && name == "True")) return result = true, true;
    if (name == "false" || (!json && name == "False")) return result = false, true;
    if (name == "null" || (!json && name == "None")) return result = nullptr, true;
    result = OrderedJson::parse(name, nullptr, false);
    return result.is_number();
  }

  std::string_view text_;
  const LiteralStyle& style_;
  size_t at_ = 0;
};

}  // namespace

std::optional<LiteralPrefix> parse_literal_prefix(std::string_view text, const LiteralStyle& style) {
  LiteralReader reader(text, style);
  OrderedJson value;
  if (!reader.value(value, 0)) return std::nullopt;
  return LiteralPrefix{std::move(value), reader.position()};
}

std::optional<OrderedJson> parse_literal(std::string_view text, const LiteralStyle& style) {
  std::optional<LiteralPrefix> prefix = parse_literal_prefix(text, style);
  if (!prefix || !trimmed(text.substr(prefix->end)).empty()) return std::nullopt;
  return std::move(prefix->value);
}

bool LiteralScanner::scan(std::string_view text) {
  stuck_ = false;
  while (position_ < text.size() && !stuck_)
    if (closing_.empty() ? step(text) : step_string(text)) return true;
  return false;
}

// One character outside of strings; true where the value ends.
bool LiteralScanner::step(std::string_view text) {
  const char c = text[position_];
  const std::string_view rest = text.substr(position_);
  const size_t known = std::min(rest.size(), style_.quote.size());
  if (rest.substr(0, known) == std::string_view(style_.quote).substr(0, known)) {
    if (known < style_.quote.size()) return stuck_ = true, false;
    closing_ = style_.quote;
    position_ += known;
    begun_ = true;
    return false;
  }
  const bool opens = c == '{' || c == '[' || (c == '(' && style_.python);
  const bool closes = c == '}' || c == ']' || c == ')';
  if (depth_ == 0 && begun_ && (closes || c == ',' || c == '<' || is_space(c))) return true;
  if (c == '"' || (c == '\'' && style_.python)) closing_ = c;
  if (opens) ++depth_;
  if (closes && depth_ > 0) --depth_;
  begun_ = begun_ || !is_space(c);
  ++position_;
  return closes && depth_ == 0;
}

bool LiteralScanner::step_string(std::string_view text) {
  if (text[position_] == '\\' && closing_.size() == 1) {
    if (position_ + 1 == text.size()) return stuck_ = true, false;
    position_ += 2;
    return false;
  }
  const std::string_view rest = text.substr(position_);
  const size_t known = std::min(rest.size(), closing_.size());
  if (rest.substr(0, known) != std::string_view(closing_).substr(0, known)) return ++position_, false;
  if (known < closing_.size()) return stuck_ = true, false;
  position_ += known;
  closing_.clear();
  return depth_ == 0;
}

std::string json_escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (result += '\\') += c;
    else if (c == '\n')
      result += "\\n";
    else if (c == '\t')
      result += "\\t";
    else if (c == '\r')
      result += "\\r";
    else if (static_cast<unsigned char>(c) < ' ')
      result += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      result += c;
  }
  return result;
}

std::string json_text(const OrderedJson& value) {
  return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace cleave::response
