#include "text/pattern/pattern_sets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::text {
namespace {

constexpr int kMaxDepth = 20;

class SetParser {
 public:
  SetParser(std::string_view expression, size_t at, const std::function<std::string(const std::string&)>& translate,
            const std::string& what)
      : in_(expression), at_(at), translate_(translate), what_(what) {}

  // Rewrites the class that begins here. Sets `plain` to false if PCRE2 has no such class.
  std::string parse(bool& plain, int depth = 0) {
    if (depth > kMaxDepth)
      fail(ErrorKind::Unsupported, "{}: the pattern {} nests character classes deeper than {}", what_, in_quotes(in_),
           kMaxDepth);
    ++at_;  // the bracket
    const bool negated = skip("^");
    std::vector<std::string> operands;                        // of intersections
    std::vector<std::string> parts;                           // alternatives of the current operand
    std::string items;                                        // members of the current operand as a plain class
    if (at_ < in_.size() && in_[at_] == ']') take(1, items);  // in first place it stands for itself
    while (at_ < in_.size() && in_[at_] != ']') {
      if (skip("&&")) {
        operands.push_back(any_of(std::move(parts), std::move(items)));
        parts.clear();
        items.clear();
        plain = false;
      } else if (in_[at_] == '[' && !is_posix()) {
        parts.push_back(parse(plain, depth + 1));
        plain = false;
      } else if (is_negated_escape()) {
        // Within brackets \w means less than without, so the negation is that of a class.
        parts.push_back(translate_(in_[at_ + 1] == 'W' ? R"([^\w])" : R"([^\h])"));
        at_ += 2;
        plain = false;
      } else {
        take(item_size(), items);
      }
    }
    if (at_ < in_.size()) ++at_;
    operands.push_back(any_of(std::move(parts), std::move(items)));
    return all_of(operands, negated);
  }

  size_t at() const { return at_; }

 private:
  bool skip(std::string_view text) {
    if (in_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }
  void take(size_t size, std::string& items) {
    items.append(in_.substr(at_, size));
    at_ += std::min(size, in_.size() - at_);
  }

  bool is_posix() const { return in_.substr(at_, 2) == "[:" && in_.find(":]", at_) != std::string_view::npos; }
  // \W and \H, which within a class mean something else to PCRE2.
  bool is_negated_escape() const { return in_.substr(at_, 2) == "\\W" || in_.substr(at_, 2) == "\\H"; }

  size_t item_size() const {
    if (is_posix()) return in_.find(":]", at_) + 2 - at_;
    if (in_[at_] != '\\' || at_ + 1 >= in_.size()) return 1;
    const bool braces =
        in_.substr(at_ + 2, 1) == "{" && std::string_view("pPx").find(in_[at_ + 1]) != std::string_view::npos;
    const size_t end = braces ? in_.find('}', at_) : std::string_view::npos;
    return end == std::string_view::npos ? 2 : end + 1 - at_;
  }

  std::string any_of(std::vector<std::string> parts, std::string items) const {
    if (items.starts_with('^')) items.insert(items.begin(), '\\');
    if (!items.empty()) parts.push_back(translate_("[" + items + "]"));
    if (parts.empty()) return "(?!)";  // matches nothing
    return parts.size() == 1 ? parts.front() : fmt::format("(?:{})", fmt::join(parts, "|"));
  }

  static std::string all_of(const std::vector<std::string>& operands, bool negated) {
    std::string all = operands.back();
    if (operands.size() > 1) {
      all = "(?:";
      for (size_t i = 0; i + 1 < operands.size(); ++i) all += fmt::format("(?={})", operands[i]);
      all += operands.back() + ")";
    }
    return negated ? fmt::format("(?:(?!{})[\\x{{0}}-\\x{{10ffff}}])", all) : all;
  }

  std::string_view in_;
  size_t at_;
  const std::function<std::string(const std::string&)>& translate_;
  const std::string& what_;
};

// Whether a class may need rewriting. Looking for signs of that is cheaper than parsing the class.
bool may_be_set(std::string_view expression, size_t at) {
  const std::string_view rest = expression.substr(at + 1);
  return rest.find('[') != std::string_view::npos || rest.find("&&") != std::string_view::npos ||
         rest.find("\\W") != std::string_view::npos || rest.find("\\H") != std::string_view::npos;
}

}  // namespace

std::optional<std::string> rewrite_set(std::string_view expression, size_t& at,
                                       const std::function<std::string(const std::string&)>& translate,
                                       const std::string& what) {
  if (!may_be_set(expression, at)) return std::nullopt;
  // Most classes are plain. To find that out, no member need be translated.
  const std::function<std::string(const std::string&)> nothing = [](const std::string&) { return std::string(); };
  bool plain = true;
  SetParser(expression, at, nothing, what).parse(plain);
  if (plain) return std::nullopt;
  SetParser parser(expression, at, translate, what);
  std::string rewritten = parser.parse(plain);
  at = parser.at();
  return rewritten;
}

}  // namespace cleave::text
