#include "jinja/format_percent.h"

#include <fmt/format.h>

#include <algorithm>

#include "jinja/markup.h"
#include "jinja/number_format.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// Limits of a field; Python has none.
constexpr int64_t kMaxWidth = 1'000'000;
constexpr int64_t kMaxPrecision = 10'000;

/// A conversion such as "%-5.2f".
struct Directive {
  bool left = false, zero = false, alternate = false;
  char sign = 0;  // + or space
  int64_t width = 0;
  int64_t precision = -1;
  char kind = 0;
};

std::string cut(const Directive& directive, std::string text) {
  if (directive.precision < 0) return text;
  size_t end = 0;
  for (int64_t i = 0; i < directive.precision && end < text.size(); ++i) end += unicode::valid_utf8_at(text, end).size;
  text.resize(end);
  return text;
}

double real(const Value& value) {
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) raise("TypeError", fmt::format("must be real number, not {}", type_name(value)));
  return value.as_double();
}

/// The rendering of one format string.
class PercentFormat {
 public:
  PercentFormat(const Value& format, const std::vector<Value>& values, Context& context)
      : rest_(format.bytes()), escapes_(format.is_markup()), values_(values), context_(context) {}

  std::string render() {
    while (!rest_.empty()) {
      const char c = take();
      if (c == '%')
        convert();
      else
        text_.push_back(c);
      if (text_.size() > context_.meter().limits().output_bytes)
        raise("MemoryError", "a text beyond the limit of output");
    }
    const bool one_dict = values_.size() == 1 && values_[0].is_dict();
    if (used_ < values_.size() && !one_dict) raise("TypeError", "not all arguments converted during string formatting");
    return std::move(text_);
  }

 private:
  char take() {
    if (rest_.empty()) raise("ValueError", "incomplete format");
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }

  const Value& next_value() {
    if (used_ >= values_.size()) raise("TypeError", "not enough arguments for format string");
    return values_[used_++];
  }

  void convert() {
    const Value* named = nullptr;
    if (rest_.starts_with('(')) named = &read_name();
    const Directive directive = read_directive();
    if (directive.kind == '%')
      text_.push_back('%');
    else
      text_ += converted(directive, named != nullptr ? *named : next_value());
  }

  const Value& read_name() {
    if (values_.size() != 1 || !values_[0].is_dict()) raise("TypeError", "format requires a mapping");
    size_t end = 1;
    for (int open = 1; open > 0; ++end) {
      if (end >= rest_.size()) raise("ValueError", "incomplete format key");
      open += rest_[end] == '(' ? 1 : rest_[end] == ')' ? -1 : 0;
    }
    const Value key = context_.text(std::string(rest_.substr(1, end - 2)));
    rest_.remove_prefix(end);
    const Value* found = values_[0].as_dict().find(key);
    if (found == nullptr) raise("KeyError", repr(key, context_.meter()));
    return *found;
  }

  Directive read_directive() {
    Directive directive;
    read_flags(directive);
    directive.width = read_number(kMaxWidth);
    if (directive.width < 0) {
      directive.left = true;
      directive.width = -directive.width;
    }
    if (rest_.starts_with('.')) {
      take();
      directive.precision = std::max(read_number(kMaxPrecision), int64_t{0});
    }
    if (!rest_.empty() && (rest_[0] == 'h' || rest_[0] == 'l' || rest_[0] == 'L')) take();  // means nothing in Python
    directive.kind = take();
    return directive;
  }

  void read_flags(Directive& directive) {
    for (; !rest_.empty(); take()) {
      const char c = rest_[0];
      if (c == '-')
        directive.left = true;
      else if (c == '0')
        directive.zero = true;
      else if (c == '#')
        directive.alternate = true;
      else if (c == '+' || (c == ' ' && directive.sign == 0))
        directive.sign = c;
      else if (c != ' ')
        return;
    }
  }

  int64_t read_number(int64_t limit) {
    int64_t number = 0;
    if (rest_.starts_with('*')) {
      take();
      const Value& value = next_value();
      if (!value.is_integer() && !value.is_bool()) raise("TypeError", "* wants int");
      number = value.as_integer();
    }
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; take())
      number = std::min(number * 10 + (rest_[0] - '0'), limit + 1);
    if (number > limit || number < -limit) raise("MemoryError", fmt::format("a width or precision beyond {}", limit));
    return number;
  }

  std::string converted(const Directive& directive, const Value& value) {
    switch (directive.kind) {
      case 's':
        return padded(directive, cut(directive, escapes_ ? escaped(value, context_).bytes() : context_.str(value)));
      case 'r':
        return padded(directive, cut(directive, shown(repr(value, context_.meter()))));
      case 'a':
        return padded(directive, cut(directive, shown(ascii(repr(value, context_.meter())))));
      case 'c':
        return padded(directive, character(value));
      case 'd':
      case 'i':
      case 'u':
      case 'o':
      case 'x':
      case 'X':
        return padded(directive, integer(directive, value));
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        return padded(directive, float_text(real(value), directive.kind, static_cast<int>(directive.precision),
                                            directive.alternate));
      default:
        raise("ValueError", fmt::format("unsupported format character '{}'", directive.kind));
    }
  }

  std::string shown(std::string text) const { return escapes_ ? escape_html(text) : text; }

  static int64_t whole(const Value& value, char kind) {
    const bool decimal = kind == 'd' || kind == 'i' || kind == 'u';
    if (value.is_undefined()) fail_undefined(value);
    if (!value.is_number() || (value.is_float() && !decimal))
      raise("TypeError", fmt::format("%{} format: {} is required, not {}", kind,
                                     decimal ? "a real number" : "an integer", type_name(value)));
    if (!value.is_float()) return value.as_integer();
    const double number = value.as_double();
    if (!(number > -9e18 && number < 9e18)) raise("OverflowError", "cannot convert float to a 64-bit integer");
    return static_cast<int64_t>(number);
  }

  static NumberText integer(const Directive& directive, const Value& value) {
    NumberText number = integer_text(whole(value, directive.kind), directive.kind, directive.alternate);
    if (directive.precision > 0) number.digits = grouped(number.digits, {}, directive.precision);
    return number;
  }

  static std::string character(const Value& value) {
    if (value.is_undefined()) fail_undefined(value);
    if (value.is_text() && value.as_text().length == 1) return value.bytes();
    if (!value.is_integer() && !value.is_bool()) raise("TypeError", "%c requires int or char");
    const int64_t code = value.as_integer();
    if (code < 0 || code > 0x10FFFF) raise("OverflowError", "%c arg not in range(0x110000)");
    std::string text;
    unicode::append_utf8(text, static_cast<char32_t>(code));
    return text;
  }

  static std::string padded(const Directive& directive, std::string text) {
    const auto characters =
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
    if (characters >= directive.width) return text;
    const auto missing = static_cast<size_t>(directive.width - characters);
    return directive.left ? text.append(missing, ' ') : text.insert(0, missing, ' ');
  }

  static std::string padded(const Directive& directive, NumberText number) {
    add_sign(number, directive.sign);
    const auto size = static_cast<int64_t>(number.size());
    if (directive.zero && !directive.left && size < directive.width)
      number.prefix.append(static_cast<size_t>(directive.width - size), '0');
    return padded(directive, number.sign + number.prefix + number.digits + number.rest);
  }

  std::string_view rest_;
  bool escapes_;  // what is put into a markup
  const std::vector<Value>& values_;
  Context& context_;
  std::string text_;
  size_t used_ = 0;
};

}  // namespace

Value format_percent(const Value& format, const std::vector<Value>& values, Context& context) {
  return context.text(PercentFormat(format, values, context).render(), format.is_markup());
}

}  // namespace cleave::jinja
