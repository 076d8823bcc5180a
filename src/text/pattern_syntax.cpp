#include "text/pattern_syntax.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/shown_text.h"

namespace cleave::text {
namespace {

// Members of the classes, to be put between brackets. Unicode's White_Space; UTS #18's word characters without the
// joiners.
constexpr const char* kSpace =
    R"(\x{9}-\x{d} \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
constexpr const char* kNotSpace =
    R"(\x{0}-\x{8}\x{e}-\x{1f}!-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e})"
    R"(\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
constexpr const char* kWord = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc})";
constexpr const char* kHex = "0-9A-Fa-f";

class Translator {
 public:
  Translator(const std::string& expression, const std::string& what) : in_(expression), what_(what) {}

  std::string run() {
    while (at_ < in_.size()) step();
    return std::move(out_);
  }

 private:
  void step() {
    const char c = in_[at_];
    if (c == '\\') return escape(false);
    if (c == '[') return character_class();
    if (c == '(') return open_group();
    if (c == ')') return close_group();
    if (c == '{' && interval()) return;
    if (c != '?' && c != '*' && c != '+' && c != '|') atom_ = out_.size();
    copy(1);
  }

  void copy(size_t count) {
    out_.append(in_, at_, count);
    at_ += count;
  }

  bool starts_with(std::string_view text) const { return std::string_view(in_).substr(at_).starts_with(text); }

  [[noreturn]] void unsupported(const char* feature) const {
    fail(ErrorKind::Unsupported, "{}: the pattern {} uses {} at byte {}, which is not supported", what_,
         shown_text(in_), feature, at_);
  }

  // An escape sequence, within a character class or outside.
  void escape(bool in_class) {
    if (!in_class) atom_ = out_.size();
    const char kind = at_ + 1 < in_.size() ? in_[at_ + 1] : '\0';
    const auto members = [&](const char* list, bool negated) {
      out_.append(in_class ? "" : negated ? "[^" : "[").append(list).append(in_class ? "" : "]");
      at_ += 2;
    };
    switch (kind) {
      case 's':
        return members(kSpace, false);
      case 'S':
        return in_class ? members(kNotSpace, false) : members(kSpace, true);
      case 'w':
        return members(kWord, false);
      case 'h':
        return members(kHex, false);
      case 'W':
      case 'H':
        if (in_class) unsupported("a negated class within a class");
        return members(kind == 'W' ? kWord : kHex, true);
      case 'b':
        if (!in_class) return word_boundary("(?:(?<=[{0}])(?![{0}])|(?<![{0}])(?=[{0}]))");
        break;
      case 'B':
        return word_boundary("(?:(?<=[{0}])(?=[{0}])|(?<![{0}])(?![{0}]))");
      case 'u':
        if (code_point()) return;
        break;
      case 'p':
      case 'P':
      case 'x':
        if (const size_t end = in_.find('}', at_); end != std::string::npos && in_.compare(at_ + 2, 1, "{") == 0)
          return copy(end + 1 - at_);
        break;
      default:
        break;
    }
    copy(std::min<size_t>(2, in_.size() - at_));
  }

  void word_boundary(fmt::format_string<const char* const&> form) {
    out_.append(fmt::format(form, kWord));
    at_ += 2;
  }

  // \uHHHH
  bool code_point() {
    const std::string digits = in_.substr(at_ + 2, 4);
    for (const char c : digits)
      if (!std::isxdigit(static_cast<unsigned char>(c))) return false;
    if (digits.size() != 4) return false;
    out_.append("\\x{").append(digits).append("}");
    at_ += 6;
    return true;
  }

  void character_class() {
    atom_ = out_.size();
    copy(1);
    if (at_ < in_.size() && in_[at_] == '^') copy(1);
    if (at_ < in_.size() && in_[at_] == ']') copy(1);  // a bracket in first place stands for itself
    while (at_ < in_.size() && in_[at_] != ']') {
      if (in_[at_] == '\\') {
        escape(true);
      } else if (starts_with("&&")) {
        unsupported("an intersection of character classes");
      } else if (starts_with("[:") && in_.find(":]", at_) != std::string::npos) {
        copy(in_.find(":]", at_) + 2 - at_);
      } else if (in_[at_] == '[') {
        unsupported("a character class within a class");
      } else {
        copy(1);
      }
    }
    if (at_ < in_.size()) copy(1);
  }

  void open_group() {
    groups_.push_back(out_.size());
    if (starts_with("(?#")) {  // a comment
      const size_t end = in_.find(')', at_);
      return copy((end == std::string::npos ? in_.size() : end) - at_);
    }
    copy(1);
    if (!starts_with("?")) return;
    // The flags of (?im-x) and (?im-x:...): Ruby's m is PCRE2's s.
    size_t end = at_ + 1;
    while (end < in_.size() && (std::isalpha(static_cast<unsigned char>(in_[end])) || in_[end] == '-')) ++end;
    if (end >= in_.size() || end == at_ + 1 || (in_[end] != ')' && in_[end] != ':')) return copy(1);
    for (; at_ < end; ++at_) out_.push_back(in_[at_] == 'm' ? 's' : in_[at_]);
  }

  void close_group() {
    if (!groups_.empty()) {
      atom_ = groups_.back();
      groups_.pop_back();
    }
    copy(1);
  }

  // {n}, {n,}, {n,m} or {,m}; false for a brace that stands for itself.
  bool interval() {
    size_t end = at_ + 1;
    bool digits = false;
    int commas = 0;
    for (; end < in_.size() && in_[end] != '}'; ++end) {
      if (in_[end] == ',') {
        ++commas;
      } else if (std::isdigit(static_cast<unsigned char>(in_[end]))) {
        digits = true;
      } else {
        return false;
      }
    }
    if (end == in_.size() || !digits || commas > 1) return false;
    copy(1);
    if (in_[at_] == ',') out_.push_back('0');
    copy(end + 1 - at_);
    if (at_ < in_.size() && in_[at_] == '+') {
      out_.insert(atom_, "(?:").push_back(')');
      copy(1);
    }
    return true;
  }

  const std::string& in_;
  const std::string& what_;
  size_t at_ = 0;
  std::string out_;
  size_t atom_ = 0;             // where in out_ the last atom begins: what a quantifier repeats
  std::vector<size_t> groups_;  // where in out_ the open groups begin
};

}  // namespace

std::string pcre_from_oniguruma(const std::string& expression, const std::string& what) {
  return Translator(expression, what).run();
}

}  // namespace cleave::text
