#include "jinja/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cleave::jinja {
namespace {

constexpr int kMaxWidth = 1000;

// A conversion such as "%-5.2f".
struct Directive {
  bool left = false, zero = false, plus = false;
  int width = 0;
  int precision = -1;
  char kind = 0;
};

int read_number(const std::string& format, size_t& at) {
  int number = 0;
  while (at < format.size() && format[at] >= '0' && format[at] <= '9') {
    number = std::min(number * 10 + (format[at] - '0'), kMaxWidth + 1);
    ++at;
  }
  if (number > kMaxWidth) raise("ValueError", fmt::format("a width beyond {}", kMaxWidth));
  return number;
}

Directive read_directive(const std::string& format, size_t& at) {
  Directive directive;
  for (; at < format.size(); ++at) {
    if (format[at] == '-')
      directive.left = true;
    else if (format[at] == '0')
      directive.zero = true;
    else if (format[at] == '+')
      directive.plus = true;
    else if (format[at] != ' ' && format[at] != '#')
      break;
  }
  directive.width = read_number(format, at);
  if (at < format.size() && format[at] == '.') directive.precision = read_number(format, ++at);
  if (at >= format.size()) raise("ValueError", "incomplete format");
  directive.kind = format[at++];
  return directive;
}

double to_number(const Value& value) {
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number()) raise("TypeError", fmt::format("must be real number, not {}", type_name(value)));
  return value.as_double();
}

int64_t to_integer(const Value& value, char kind) {
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_number())
    raise("TypeError", fmt::format("%{} format: a real number is required, not {}", kind, type_name(value)));
  if (!value.is_float()) return value.as_integer();
  const double number = value.as_double();
  if (!(number > -9e18 && number < 9e18)) raise("OverflowError", "cannot convert float to a 64-bit integer");
  return static_cast<int64_t>(number);
}

std::string converted(const Directive& directive, const Value& value, Context& context) {
  const int precision = directive.precision < 0 ? 6 : directive.precision;
  switch (directive.kind) {
    case 's':
    case 'r': {
      std::string text = directive.kind == 's' ? context.str(value) : repr(value, context.meter());
      return directive.precision < 0 ? text : text.substr(0, static_cast<size_t>(directive.precision));
    }
    case 'd':
    case 'i':
    case 'u':
      return std::to_string(to_integer(value, 'd'));
    case 'x':
      return fmt::format("{:x}", to_integer(value, 'x'));
    case 'X':
      return fmt::format("{:X}", to_integer(value, 'X'));
    case 'o':
      return fmt::format("{:o}", to_integer(value, 'o'));
    case 'f':
    case 'F':
      return fmt::format("{:.{}f}", to_number(value), precision);
    case 'e':
      return fmt::format("{:.{}e}", to_number(value), precision);
    case 'g':
      return fmt::format("{:.{}g}", to_number(value), precision);
    case 'c':
      return context.str(value);
    default:
      raise("ValueError", fmt::format("unsupported format character '{}'", directive.kind));
  }
}

std::string padded(const Directive& directive, std::string text) {
  const bool numeric = directive.kind != 's' && directive.kind != 'r' && directive.kind != 'c';
  if (numeric && directive.plus && !text.starts_with('-')) text.insert(text.begin(), '+');
  const auto characters =
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
  if (characters >= directive.width) return text;
  const auto missing = static_cast<size_t>(directive.width - characters);
  if (directive.left) return text.append(missing, ' ');
  if (!numeric || !directive.zero) return text.insert(0, missing, ' ');
  return text.insert(text.starts_with('-') || text.starts_with('+') ? 1 : 0, missing, '0');
}

}  // namespace

std::string format_percent(const std::string& format, const std::vector<Value>& values, Context& context) {
  std::string text;
  size_t used = 0;
  for (size_t i = 0; i < format.size();) {
    if (format[i] != '%') {
      text.push_back(format[i++]);
      continue;
    }
    const Directive directive = read_directive(format, ++i);
    if (directive.kind == '%') {
      text.push_back('%');
      continue;
    }
    if (used >= values.size()) raise("TypeError", "not enough arguments for format string");
    text += padded(directive, converted(directive, values[used++], context));
    if (text.size() > context.meter().limits().output_bytes) raise("MemoryError", "a text beyond the limit of output");
  }
  if (used < values.size() && !(values.size() == 1 && values[0].is_dict()))
    raise("TypeError", "not all arguments converted during string formatting");
  return text;
}

std::string format_braces(const std::string& format, const Arguments& arguments, Context& context) {
  std::string text;
  size_t automatic = 0;
  for (size_t i = 0; i < format.size(); ++i) {
    const char c = format[i];
    if ((c == '{' || c == '}') && i + 1 < format.size() && format[i + 1] == c) {
      text.push_back(format[i++]);
      continue;
    }
    if (c == '}') raise("ValueError", "Single '}' encountered in format string");
    if (c != '{') {
      text.push_back(c);
      continue;
    }
    const size_t end = format.find('}', i);
    if (end == std::string::npos) raise("ValueError", "Single '{' encountered in format string");
    const std::string field = format.substr(i + 1, end - i - 1);
    i = end;
    const Value* value = nullptr;
    size_t index = automatic;
    const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), index);
    if (field.empty() || (error == std::errc() && stop == field.data() + field.size())) {
      if (field.empty()) ++automatic;
      if (index >= arguments.positional.size())
        raise("IndexError", fmt::format("Replacement index {} out of range for positional args tuple", index));
      value = &arguments.positional[index];
    } else {
      for (const auto& [name, named] : arguments.named)
        if (name == field) value = &named;
      if (value == nullptr) raise("KeyError", fmt::format("'{}'", field));
    }
    text += context.str(*value);
    if (text.size() > context.meter().limits().output_bytes) raise("MemoryError", "a text beyond the limit of output");
  }
  return text;
}

}  // namespace cleave::jinja
