#include "response/simple_pattern.h"

namespace cleave::response {
namespace {

constexpr size_t npos = std::string_view::npos;

/// A reader of one regular expression.
class PatternReader {
 public:
  explicit PatternReader(std::string_view text) : text_(text) {}

  std::optional<std::vector<PatternPart>> read() {
    while (at_ < text_.size())
      if (!(text_[at_] == '(' ? group() : text_[at_] == '\\' ? escape() : plain())) return std::nullopt;
    flush();
    return std::move(parts_);
  }

 private:
  bool starts(std::string_view begin) const { return text_.substr(at_, begin.size()) == begin; }

  // Whether the part before may be missing or repeated; skips the sign that says so.
  bool quantifier() {
    if (at_ >= text_.size() || std::string_view("*+?{").find(text_[at_]) == npos) return false;
    if (text_[at_] == '{') at_ = std::min(text_.find('}', at_), text_.size() - 1);
    ++at_;
    if (at_ < text_.size() && text_[at_] == '?') ++at_;
    return true;
  }

  bool plain() {
    const char c = text_[at_++];
    if (c == '^' || c == '$') return true;
    if (std::string_view(".[]|*+?{}()").find(c) != npos && !(c == '}' || c == ']')) return false;
    return add(c);
  }

  bool escape() {
    if (++at_ >= text_.size()) return false;
    const char c = text_[at_++];
    if (c == 's' || c == 'n' || c == 't' || c == 'r') return space();
    if (c == 'Z' || c == 'A' || c == 'z') return true;
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return false;
    return add(c);
  }

  bool space() {
    quantifier();
    if (literal_.empty() || literal_.back() != ' ') literal_ += ' ';
    return true;
  }

  bool add(char c) {
    if (c == ' ' || c == '\n') return space();
    literal_ += c;
    return !quantifier();
  }

  bool group() {
    const size_t end = closing();
    if (end == npos) return false;
    const std::string_view inside = text_.substr(at_, end - at_);
    at_ = end + 1;
    const bool repeated = quantifier();
    if (inside.substr(0, 3) == "(?=" || inside.substr(0, 3) == "(?!") return true;  // what follows is not its part
    const size_t name = inside.substr(0, 4) == "(?P<" ? 4 : inside.substr(0, 3) == "(?<" ? 3 : npos;
    const size_t name_end = inside.find('>');
    if (name == npos || name_end == npos || inside[name] == '=' || inside[name] == '!' || repeated) return false;
    flush();
    parts_.push_back({true, std::string(inside.substr(name, name_end - name))});
    return true;
  }

  // The bracket that closes the one here.
  size_t closing() const {
    int depth = 0;
    bool in_class = false;
    for (size_t i = at_; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
        continue;
      }
      if (text_[i] == '[') in_class = true;
      if (text_[i] == ']') in_class = false;
      if (in_class) continue;
      if (text_[i] == '(') ++depth;
      if (text_[i] == ')' && --depth == 0) return i;
    }
    return npos;
  }

  void flush() {
    if (!literal_.empty()) parts_.push_back({false, std::move(literal_)});
    literal_.clear();
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string literal_;
  std::vector<PatternPart> parts_;
};

}  // namespace

std::optional<std::vector<PatternPart>> simple_pattern(std::string_view expression) {
  return PatternReader(expression).read();
}

}  // namespace cleave::response
