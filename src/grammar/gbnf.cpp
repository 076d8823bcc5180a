#include "grammar/gbnf.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "grammar/regex/emit.h"
#include "unicode/utf8.h"

namespace cleave::grammar {
namespace {

constexpr uint32_t kMaxCount = 1'000'000;
constexpr int kMaxRepeats = 8;  // of one another, as in "a"{2}{3}

bool is_name(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '-' ||
         byte == '_';
}

// What is smaller than a rule: names, characters, white space.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    if (!unicode::is_utf8(text)) wrong("is not UTF-8");
  }

  bool at_end() const { return position_ == text_.size(); }
  bool next_is(std::string_view text) const { return text_.substr(position_).starts_with(text); }
  bool skip(std::string_view text) {
    if (!next_is(text)) return false;
    position_ += text.size();
    return true;
  }
  size_t position() const { return position_; }
  void go_to(size_t position) { position_ = position; }

  // White space and comments; the ends of lines only where `lines` says so.
  void skip_space(bool lines) {
    while (!at_end()) {
      const char byte = text_[position_];
      if (byte == '#')
        position_ = std::min(text_.find_first_of("\r\n", position_), text_.size());
      else if (byte == ' ' || byte == '\t' || (lines && (byte == '\n' || byte == '\r')))
        ++position_;
      else
        return;
    }
  }

  std::string name() {
    const size_t begin = position_;
    while (!at_end() && is_name(text_[position_])) ++position_;
    if (begin == position_) wrong("lacks a rule's name");
    return std::string(text_.substr(begin, position_ - begin));
  }
  bool next_is_name() const { return !at_end() && is_name(text_[position_]); }

  // A character of a literal or a class, perhaps escaped.
  char32_t character() {
    if (at_end()) wrong("ends within quotes or brackets");
    if (!skip("\\")) {
      const unicode::Utf8Char next = unicode::valid_utf8_at(text_, position_);
      position_ += next.size;
      return next.code;
    }
    if (at_end()) wrong("ends in a backslash");
    const char letter = text_[position_++];
    switch (letter) {
      case 'x':
        return hexadecimal(2);
      case 'u':
        return hexadecimal(4);
      case 'U':
        return hexadecimal(8);
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'n':
        return '\n';
      case '\\':
      case '"':
      case '[':
      case ']':
        return static_cast<char32_t>(letter);
      default:
        wrong("has an unknown escape");
    }
  }

  std::optional<uint32_t> number() {
    uint32_t value = 0;
    const size_t begin = position_;
    for (; !at_end() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
      value = value * 10 + static_cast<uint32_t>(text_[position_] - '0');
      if (value > kMaxCount) wrong("has a repetition of more than a million");
    }
    return begin == position_ ? std::nullopt : std::optional(value);
  }

  [[noreturn]] void wrong(std::string_view what, ErrorKind kind = ErrorKind::InvalidArgument) const {
    const auto line = std::count(text_.begin(), text_.begin() + static_cast<ptrdiff_t>(position_), '\n') + 1;
    fail(kind, "the grammar {} in line {}", what, line);
  }

 private:
  char32_t hexadecimal(int digits) {
    char32_t value = 0;
    for (int i = 0; i < digits; ++i) {
      const char digit = at_end() ? ' ' : text_[position_++];
      if (digit >= '0' && digit <= '9')
        value = value * 16 + static_cast<char32_t>(digit - '0');
      else if ((digit | 32) >= 'a' && (digit | 32) <= 'f')
        value = value * 16 + static_cast<char32_t>((digit | 32) - 'a' + 10);
      else
        wrong("has an escape that is not hexadecimal");
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) wrong("has an escape of no character");
    return value;
  }

  std::string_view text_;
  size_t position_ = 0;
};

class Parser {
 public:
  Parser(ProgramBuilder& builder, std::string_view text) : builder_(builder), scanner_(text) {}

  uint32_t parse() {
    for (scanner_.skip_space(true); !scanner_.at_end(); scanner_.skip_space(true)) definition();
    for (const auto& [name, rule] : rules_)
      if (!rule.defined) fail(ErrorKind::InvalidArgument, "the grammar uses the rule {}, which it has not", name);
    const auto root = rules_.find("root");
    if (root == rules_.end()) fail(ErrorKind::InvalidArgument, "the grammar has no rule named root");
    return root->second.id;
  }

 private:
  struct Rule {
    uint32_t id;
    bool defined;
  };

  Rule& rule(const std::string& name) {
    const auto known = rules_.find(name);
    if (known != rules_.end()) return known->second;
    return rules_[name] = {builder_.add_rule(name), false};
  }

  void definition() {
    const std::string name = scanner_.name();
    scanner_.skip_space(false);
    if (!scanner_.skip("::=")) scanner_.wrong("lacks ::=");
    if (std::exchange(rule(name).defined, true)) scanner_.wrong("defines a rule a second time");
    scanner_.skip_space(true);
    const uint32_t id = rule(name).id;
    emit(builder_, builder_.start(id), choice(false), Encoding::Utf8, Repetition::Called, builder_.end(id));
    scanner_.skip_space(false);
    if (!scanner_.at_end() && !scanner_.next_is("\n") && !scanner_.next_is("\r"))
      scanner_.wrong("has something that is no part of a rule");
  }

  // `nested`: within parentheses, where lines may end.
  Expression choice(bool nested) {
    const Budget::Level level(builder_.budget());
    std::vector<Expression> parts{sequence(nested)};
    while (scanner_.skip("|")) {
      scanner_.skip_space(true);
      parts.push_back(sequence(nested));
    }
    return parts.size() == 1 ? std::move(parts.front()) : Expression::choice(std::move(parts));
  }

  Expression sequence(bool nested) {
    std::vector<Expression> parts;
    while (!scanner_.at_end()) {
      builder_.budget().nodes(parts.size());
      std::optional<Expression> part = element();
      if (!part) break;
      parts.push_back(repeats(std::move(*part), nested));
      scanner_.skip_space(nested);
    }
    return Expression::sequence(std::move(parts));
  }

  std::optional<Expression> element() {
    if (scanner_.skip("\"")) return literal();
    if (scanner_.skip("[")) return bracket();
    if (scanner_.skip(".")) return Expression::characters(CodePoints::all());
    if (scanner_.next_is("<") || scanner_.next_is("!"))
      scanner_.wrong("has a token, which is not supported,", ErrorKind::Unsupported);
    if (scanner_.skip("(")) {
      scanner_.skip_space(true);
      Expression inner = choice(true);
      if (!scanner_.skip(")")) scanner_.wrong("has a ( without its )");
      return inner;
    }
    if (!scanner_.next_is_name()) return std::nullopt;
    Expression made;
    made.kind = Expression::Kind::Rule;
    made.rule = rule(scanner_.name()).id;
    return made;
  }

  Expression literal() {
    std::string text;
    while (!scanner_.skip("\"")) unicode::append_utf8(text, scanner_.character());
    return Expression::literal(std::move(text));
  }

  Expression bracket() {
    const bool inverted = scanner_.skip("^");
    std::vector<CodePoints::Range> ranges;
    while (!scanner_.skip("]")) {
      builder_.budget().nodes(ranges.size());
      const char32_t first = scanner_.character();
      const bool is_range = scanner_.next_is("-") && !scanner_.next_is("-]");
      const char32_t last = is_range && scanner_.skip("-") ? scanner_.character() : first;
      if (last < first) scanner_.wrong("has a range in the wrong order");
      ranges.push_back({first, last});
    }
    const CodePoints set(std::move(ranges));
    return Expression::characters(inverted ? set.inverted() : set);
  }

  Expression repeats(Expression part, bool nested) {
    for (int times = 0;; ++times) {
      const size_t behind = scanner_.position();
      scanner_.skip_space(nested);
      uint32_t min = 0, max = kUnbounded;
      if (scanner_.skip("?"))
        max = 1;
      else if (scanner_.skip("+"))
        min = 1;
      else if (scanner_.skip("{"))
        counts(min, max);
      else if (!scanner_.skip("*")) {
        scanner_.go_to(behind);
        return part;
      }
      if (times == kMaxRepeats) scanner_.wrong("repeats a repetition too often");
      part = Expression::repeat(std::move(part), min, max);
    }
  }

  void counts(uint32_t& min, uint32_t& max) {
    scanner_.skip_space(false);
    const std::optional<uint32_t> first = scanner_.number();
    scanner_.skip_space(false);
    const bool comma = scanner_.skip(",");
    scanner_.skip_space(false);
    const std::optional<uint32_t> second = comma ? scanner_.number() : first;
    scanner_.skip_space(false);
    if (!scanner_.skip("}") || (!first && !second)) scanner_.wrong("has a repetition without its number or its }");
    min = first.value_or(0);
    max = second.value_or(kUnbounded);
    if (max < min) scanner_.wrong("has a repetition whose limits are in the wrong order");
  }

  ProgramBuilder& builder_;
  Scanner scanner_;
  std::map<std::string, Rule> rules_;
};

}  // namespace

uint32_t add_gbnf(ProgramBuilder& builder, std::string_view grammar) {
  builder.budget().text(grammar.size());
  return Parser(builder, grammar).parse();
}

}  // namespace cleave::grammar
