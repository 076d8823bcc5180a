#include "text/pattern/pattern_syntax.h"

#include <cctype>
#include <vector>

#include "text/pattern/pattern_escapes.h"
#include "text/pattern/pattern_rewriter.h"
#include "text/pattern/pattern_sets.h"

namespace cleave::text {
namespace {

// Goes through an expression: atoms, groups and how often they repeat. What an escape means is for pattern_escapes.h.
class Translator {
 public:
  Translator(const std::string& expression, const std::string& what) : pattern_{expression, what, 0, {}} {}

  std::string run() {
    while (!pattern_.at_end()) step();
    return std::move(pattern_.out);
  }

 private:
  void step() {
    const char c = pattern_.in[pattern_.at];
    if (c == '(') return open_group();
    if (c == ')') return close_group();
    if (c == '{' && interval()) return;
    if (c != '?' && c != '*' && c != '+' && c != '|') atom_ = pattern_.out.size();
    if (c == '\\') return rewrite_escape(pattern_, false);
    if (c == '[') return character_class();
    pattern_.copy(1);
  }

  void character_class() {
    const auto translate = [this](const std::string& part) { return Translator(part, pattern_.what).run(); };
    if (const auto set = rewrite_set(pattern_.in, pattern_.at, translate, pattern_.what)) {
      pattern_.out.append(*set);
      return;
    }
    pattern_.copy(1);
    if (pattern_.next_is('^')) pattern_.copy(1);
    if (pattern_.next_is(']')) pattern_.copy(1);  // a bracket in first place stands for itself
    while (!pattern_.at_end() && !pattern_.next_is(']')) {
      if (pattern_.next_is('\\'))
        rewrite_escape(pattern_, true);
      else if (!rewrite_posix_class(pattern_))
        pattern_.copy(1);
    }
    if (!pattern_.at_end()) pattern_.copy(1);
  }

  void open_group() {
    groups_.push_back(pattern_.out.size());
    if (pattern_.starts_with("(?#")) {  // a comment
      const size_t end = pattern_.in.find(')', pattern_.at);
      return pattern_.copy((end == std::string::npos ? pattern_.in.size() : end) - pattern_.at);
    }
    pattern_.copy(1);
    if (pattern_.next_is('?')) group_flags();
  }

  // The flags of (?im-x) and (?im-x:...): Ruby's m is PCRE2's s.
  void group_flags() {
    const std::string& in = pattern_.in;
    size_t end = pattern_.at + 1;
    while (end < in.size() && (std::isalpha(static_cast<unsigned char>(in[end])) || in[end] == '-')) ++end;
    if (end >= in.size() || end == pattern_.at + 1 || (in[end] != ')' && in[end] != ':')) return pattern_.copy(1);
    while (pattern_.at < end)
      if (pattern_.next_is('m'))
        pattern_.replace(1, "s");
      else
        pattern_.copy(1);
  }

  void close_group() {
    if (!groups_.empty()) {
      atom_ = groups_.back();
      groups_.pop_back();
    }
    pattern_.copy(1);
  }

  // The end of {n}, {n,}, {n,m} or {,m}; 0 for a brace that stands for itself.
  size_t end_of_interval() const {
    const std::string& in = pattern_.in;
    bool digits = false;
    int commas = 0;
    for (size_t i = pattern_.at + 1; i < in.size(); ++i) {
      if (in[i] == '}') return digits && commas <= 1 ? i + 1 : 0;
      const bool digit = std::isdigit(static_cast<unsigned char>(in[i])) != 0;
      if (!digit && in[i] != ',') return 0;
      digits = digits || digit;
      commas += in[i] == ',' ? 1 : 0;
    }
    return 0;
  }

  bool interval() {
    const size_t end = end_of_interval();
    if (end == 0) return false;
    pattern_.copy(1);
    if (pattern_.next_is(',')) pattern_.out.push_back('0');
    pattern_.copy(end - pattern_.at);
    if (pattern_.next_is('+')) {
      pattern_.out.insert(atom_, "(?:").push_back(')');
      pattern_.copy(1);
    }
    return true;
  }

  PatternRewriter pattern_;
  size_t atom_ = 0;             // where in the output the last atom begins: what a quantifier repeats
  std::vector<size_t> groups_;  // where in the output the open groups begin
};

}  // namespace

std::string pcre_from_oniguruma(const std::string& expression, const std::string& what) {
  return Translator(expression, what).run();
}

}  // namespace cleave::text
