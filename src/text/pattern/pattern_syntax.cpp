#include "text/pattern/pattern_syntax.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/in_quotes.h"
#include "text/pattern/pattern_classes.h"
#include "text/pattern/pattern_sets.h"

namespace cleave::text {
namespace {

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
    fail(ErrorKind::Unsupported, "{}: the pattern {} uses {} at byte {}, which is not supported", what_, in_quotes(in_),
         feature, at_);
  }

  // Writes a class whose members are `list`, and those outside of it where `negated`; `size` characters stood for it.
  void write_class(std::string_view list, bool negated, bool in_class, size_t size) {
    if (in_class && negated) unsupported("a negated class within a class");
    out_.append(in_class ? "" : negated ? "[^" : "[").append(list).append(in_class ? "" : "]");
    at_ += size;
  }

  // An escape sequence, within a character class or outside.
  void escape(bool in_class) {
    if (!in_class) atom_ = out_.size();
    const char* word = in_class ? kBracketWordClass : kWordClass;
    switch (at_ + 1 < in_.size() ? in_[at_ + 1] : '\0') {
      case 's':
        return write_class(kSpaceClass, false, in_class, 2);
      case 'S':
        return in_class ? write_class(kNotSpaceClass, false, true, 2) : write_class(kSpaceClass, true, false, 2);
      case 'w':
        return write_class(word, false, in_class, 2);
      case 'W':
        return write_class(word, true, in_class, 2);
      case 'h':
        return write_class(kHexClass, false, in_class, 2);
      case 'H':
        return write_class(kHexClass, true, in_class, 2);
      case 'b':
        if (!in_class) return word_boundary("(?:(?<=[{0}])(?![{0}])|(?<![{0}])(?=[{0}]))");
        break;
      case 'B':
        if (!in_class) return word_boundary("(?:(?<=[{0}])(?=[{0}])|(?<![{0}])(?![{0}]))");
        break;
      case 'u':
        if (code_point()) return;
        break;
      case 'p':
      case 'P':
        if (property(in_class)) return;
        break;
      case 'x':
        if (const size_t end = end_of_braces(); end != 0) return copy(end - at_);
        break;
      default:
        break;
    }
    copy(std::min<size_t>(2, in_.size() - at_));
  }

  void word_boundary(fmt::format_string<const char* const&> form) {
    out_.append(fmt::format(form, kWordClass));
    at_ += 2;
  }

  // Where the braces of \p{...} or \x{...} have closed; 0 where there are none.
  size_t end_of_braces() const {
    const size_t end = in_.find('}', at_);
    return end == std::string::npos || in_.compare(at_ + 2, 1, "{") != 0 ? 0 : end + 1;
  }

  // \p{Name}, \P{Name} and \p{^Name}
  bool property(bool in_class) {
    const size_t end = end_of_braces();
    if (end == 0) return false;
    std::string_view name = std::string_view(in_).substr(at_ + 3, end - at_ - 4);
    bool negated = in_[at_ + 1] == 'P';
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    if (const std::string_view list = posix_class(name, true); !list.empty()) {
      write_class(list, negated, in_class, end - at_);
    } else {
      out_.append(negated ? "\\P{" : "\\p{").append(property_name(name)).append("}");
      at_ = end;
    }
    return true;
  }

  // [:name:] within a class; false where it is none.
  bool posix() {
    const size_t end = in_.find(":]", at_);
    if (!starts_with("[:") || end == std::string::npos) return false;
    const std::string_view name = std::string_view(in_).substr(at_ + 2, end - at_ - 2);
    const bool negated = name.starts_with('^');
    const std::string_view list = posix_class(name.substr(negated ? 1 : 0), false);
    if (list.empty()) {
      copy(end + 2 - at_);
    } else {
      write_class(list, negated, true, end + 2 - at_);
    }
    return true;
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
    const auto translate = [this](const std::string& part) { return Translator(part, what_).run(); };
    if (const auto set = rewrite_set(in_, at_, translate, what_)) {
      out_.append(*set);
      return;
    }
    copy(1);
    if (at_ < in_.size() && in_[at_] == '^') copy(1);
    if (at_ < in_.size() && in_[at_] == ']') copy(1);  // a bracket in first place stands for itself
    while (at_ < in_.size() && in_[at_] != ']') {
      if (in_[at_] == '\\') {
        escape(true);
      } else if (in_[at_] == '[') {
        if (!posix()) copy(1);
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
