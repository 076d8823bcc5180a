#include "jinja/format_spec.h"

#include <fmt/format.h>

#include <algorithm>

#include "jinja/number_format.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// Precision up to which digits are written; Python has no such limit.
constexpr int64_t kMaxPrecision = 10'000;
// The largest code point, for the conversion c.
constexpr int64_t kMaxCode = 0x10FFFF;

/// A format specification: [[fill]align][sign][z][#][0][width][grouping][.precision][type].
struct Spec {
  std::string fill = " ";
  char align = 0;  // one of < > = ^; 0: the type's own
  char sign = 0;   // one of + - and space; 0: none said
  bool no_negative_zero = false;
  bool alternate = false;
  int64_t width = 0;
  char separator = 0;  // , or _
  int64_t precision = -1;
  char type = 0;

  bool fills_with_zeros() const { return fill == "0" && align == '='; }
};

/// The characters of a specification that are still to be read.
class SpecReader {
 public:
  SpecReader(std::string_view text, size_t limit) : rest_(text), limit_(limit) {}

  Spec read() {
    read_alignment();
    take_one_of("+- ", spec_.sign);
    spec_.no_negative_zero = take('z');
    spec_.alternate = take('#');
    if (!has_fill_ && take('0')) spec_.fill.assign(1, '0');
    spec_.width = number(static_cast<int64_t>(limit_), "a text beyond the limit of memory");
    read_separator();
    if (take('.')) read_precision();
    if (rest_.size() > 1) raise("ValueError", "Invalid format specifier");
    if (!rest_.empty()) spec_.type = rest_[0];
    return spec_;
  }

 private:
  static bool is_alignment(char c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

  void read_alignment() {
    if (rest_.empty()) return;
    const size_t size = unicode::utf8_at(rest_, 0).size;
    if (rest_.size() > size && is_alignment(rest_[size])) {
      spec_.fill = rest_.substr(0, size);
      has_fill_ = true;
      rest_.remove_prefix(size);
    }
    if (is_alignment(rest_[0])) take(spec_.align = rest_[0]);
  }

  bool take(char wanted) {
    if (rest_.empty() || rest_[0] != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void take_one_of(std::string_view set, char& into) {
    if (rest_.empty() || set.find(rest_[0]) == std::string_view::npos) return;
    into = rest_[0];
    rest_.remove_prefix(1);
  }

  int64_t number(int64_t limit, const char* beyond) {
    int64_t value = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1)) {
      value = value * 10 + (rest_[0] - '0');
      if (value > limit) raise("MemoryError", beyond);
    }
    return value;
  }

  void read_separator() {
    take_one_of(",_", spec_.separator);
    if (spec_.separator == 0) return;
    if (take(spec_.separator)) raise("ValueError", fmt::format("Cannot specify '{0}' with '{0}'.", spec_.separator));
    if (take(spec_.separator == ',' ? '_' : ',')) raise("ValueError", "Cannot specify both ',' and '_'.");
  }

  void read_precision() {
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') raise("ValueError", "Format specifier missing precision");
    spec_.precision = number(kMaxPrecision, "a precision beyond 10000");
  }

  std::string_view rest_;
  size_t limit_;
  Spec spec_;
  bool has_fill_ = false;
};

[[noreturn]] void fail_type(char type, const char* what) {
  raise("ValueError", fmt::format("Unknown format code '{}' for object of type '{}'", type, what));
}

void append_repeated(std::string& text, const std::string& part, int64_t count) {
  for (int64_t i = 0; i < count; ++i) text.append(part);
}

// Puts `before` and `behind` around what is missing of the width; with = it comes between the two.
std::string aligned(const Spec& spec, char align, const std::string& before, const std::string& behind,
                    int64_t characters) {
  const int64_t missing = std::max(spec.width - characters, int64_t{0});
  const int64_t left = align == '>' ? missing : align == '^' ? missing / 2 : 0;
  const int64_t between = align == '=' ? missing : 0;
  std::string text;
  append_repeated(text, spec.fill, left);
  text.append(before);
  append_repeated(text, spec.fill, between);
  text.append(behind);
  append_repeated(text, spec.fill, missing - left - between);
  return text;
}

std::string laid_out(NumberText text, const Spec& spec, int group_size) {
  add_sign(text, spec.sign);
  const auto fixed = static_cast<int64_t>(text.size() - text.digits.size());
  const std::string digits =
      grouped(text.digits, {spec.separator, group_size}, spec.fills_with_zeros() ? spec.width - fixed : 0);
  const auto characters = fixed + static_cast<int64_t>(digits.size());
  return aligned(spec, spec.align == 0 ? '>' : spec.align, text.sign + text.prefix, digits + text.rest, characters);
}

void check_separator(const Spec& spec, std::string_view types) {
  if (spec.separator != 0 && types.find(spec.type == 0 ? 'd' : spec.type) == std::string_view::npos)
    raise("ValueError", fmt::format("Cannot specify '{}' with '{}'.", spec.separator, spec.type));
}

std::string format_float(double value, const Spec& spec, const char* what) {
  constexpr std::string_view kTypes = "eEfFgG%n";
  if (spec.type != 0 && kTypes.find(spec.type) == std::string_view::npos) fail_type(spec.type, what);
  check_separator(spec, "deEfFgG%");
  const char type = spec.type == 'n' ? 'g' : spec.type;
  NumberText text = float_text(value, type, static_cast<int>(spec.precision), spec.alternate);
  const bool is_zero = (text.digits + text.rest).find_first_of("123456789nNiI") == std::string::npos;
  if (spec.no_negative_zero && is_zero) text.sign.clear();
  return laid_out(text, spec, 3);
}

std::string format_character(int64_t code, const Spec& spec) {
  if (spec.sign != 0) raise("ValueError", "Sign not allowed with integer format specifier 'c'");
  if (spec.alternate) raise("ValueError", "Alternate form (#) not allowed with integer format specifier 'c'");
  if (code < 0 || code > kMaxCode) raise("OverflowError", "%c arg not in range(0x110000)");
  std::string character;
  unicode::append_utf8(character, static_cast<char32_t>(code));
  return aligned(spec, spec.align == 0 ? '>' : spec.align, "", character, 1);
}

std::string format_integer(const Value& value, const Spec& spec) {
  const int64_t integer = value.as_integer();
  constexpr std::string_view kFloats = "eEfFgG%";
  if (spec.type != 0 && kFloats.find(spec.type) != std::string_view::npos)
    return format_float(static_cast<double>(integer), spec, "int");
  constexpr std::string_view kTypes = "bcdoxXn";
  if (spec.type != 0 && kTypes.find(spec.type) == std::string_view::npos) fail_type(spec.type, "int");
  if (spec.precision >= 0) raise("ValueError", "Precision not allowed in integer format specifier");
  if (spec.no_negative_zero)
    raise("ValueError", "Negative zero coercion (z) not allowed in format specifier with integer");
  check_separator(spec, spec.separator == ',' ? "d" : "dboxX");
  if (spec.type == 'c') return format_character(integer, spec);
  const bool decimal = spec.type == 0 || spec.type == 'd' || spec.type == 'n';
  return laid_out(integer_text(integer, decimal ? 'd' : spec.type, spec.alternate), spec, decimal ? 3 : 4);
}

std::string format_text(std::string text, const Spec& spec) {
  if (spec.sign != 0)
    raise("ValueError", spec.sign == ' ' ? "Space not allowed in string format specifier"
                                         : "Sign not allowed in string format specifier");
  if (spec.no_negative_zero) raise("ValueError", "Negative zero coercion (z) not allowed in string format specifier");
  if (spec.alternate) raise("ValueError", "Alternate form (#) not allowed in string format specifier");
  if (spec.align == '=') raise("ValueError", "'=' alignment not allowed in string format specifier");
  if (spec.type != 0 && spec.type != 's') fail_type(spec.type, "str");
  check_separator(spec, "");
  int64_t characters = 0;
  size_t end = 0;
  for (; end < text.size() && (spec.precision < 0 || characters < spec.precision); ++characters)
    end += unicode::valid_utf8_at(text, end).size;
  text.resize(end);
  return aligned(spec, spec.align == 0 ? '<' : spec.align, text, "", characters);
}

}  // namespace

std::string format_value(const Value& value, std::string_view text, Context& context) {
  if (text.empty()) return context.str(value);
  const bool has_specs = value.is_text() || value.is_number();
  if (!has_specs)
    raise("TypeError", fmt::format("unsupported format string passed to {}.__format__", type_name(value)));
  constexpr size_t kMaxFill = 4;  // bytes of a character
  Spec spec = SpecReader(text, context.meter().limits().memory_bytes / kMaxFill).read();
  if (value.is_text()) return format_text(value.bytes(), spec);
  if (spec.fill == "0" && spec.align == 0) spec.align = '=';
  return value.is_float() ? format_float(value.as_double(), spec, "float") : format_integer(value, spec);
}

}  // namespace cleave::jinja
