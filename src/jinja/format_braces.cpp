#include "jinja/format_braces.h"

#include <fmt/format.h>

#include <algorithm>

#include "jinja/format_spec.h"
#include "jinja/markup.h"
#include "jinja/operators.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// Fields inside a specification may have fields in theirs, and no more.
constexpr int kMaxNesting = 2;

/// A replacement field: {name!conversion:spec}.
struct Field {
  std::string_view name, spec;
  char conversion = 0;
};

/// Renders a format string as string.Formatter does in Jinja2's sandbox.
class Formatter {
 public:
  Formatter(bool escapes, const Arguments& arguments, Context& context)
      : escapes_(escapes), arguments_(arguments), context_(context) {}

  std::string format(std::string_view format, int nesting) {
    if (nesting < 0) raise("ValueError", "Max string recursion exceeded");
    std::string text;
    for (size_t at = 0; at < format.size();) {
      const char c = format[at++];
      if (c != '{' && c != '}') {
        text.push_back(c);
        continue;
      }
      if (at < format.size() && format[at] == c) {
        text.push_back(format[at++]);
        continue;
      }
      if (c == '}' || at == format.size())
        raise("ValueError", fmt::format("Single '{}' encountered in format string", c));
      text += replace(read_field(format, at), nesting);
      if (text.size() > context_.meter().limits().output_bytes)
        raise("MemoryError", "a text beyond the limit of output");
    }
    return text;
  }

 private:
  // The field behind a brace, up to the brace that closes it, which is passed.
  static Field read_field(std::string_view format, size_t& at) {
    const size_t end = closing_brace(format, at);
    std::string_view inside = format.substr(at, end - at);
    at = end + 1;
    Field field;
    const size_t name_end = end_of_name(inside);
    field.name = inside.substr(0, name_end);
    inside.remove_prefix(name_end);
    if (inside.starts_with('!')) {
      if (inside.size() < 2) raise("ValueError", "end of string while looking for conversion specifier");
      field.conversion = inside[1];
      inside.remove_prefix(2);
      if (!inside.empty() && inside[0] != ':') raise("ValueError", "expected ':' after conversion specifier");
    }
    if (inside.starts_with(':')) field.spec = inside.substr(1);
    return field;
  }

  // Where a name ends, in which brackets may hold anything.
  static size_t end_of_name(std::string_view inside) {
    bool in_brackets = false;
    for (size_t i = 0; i < inside.size(); ++i) {
      if (inside[i] == '[') in_brackets = true;
      if (inside[i] == ']') in_brackets = false;
      if (in_brackets) continue;
      if (inside[i] == '{') raise("ValueError", "unexpected '{' in field name");
      if (inside[i] == '!' || inside[i] == ':') return i;
    }
    return inside.size();
  }

  static size_t closing_brace(std::string_view format, size_t at) {
    int open = 1;
    bool in_brackets = false;
    for (bool in_name = true; at < format.size(); ++at) {
      const char c = format[at];
      if (in_name && (c == '[' || c == ']')) in_brackets = c == '[';
      if (in_brackets) continue;
      if (c == ':' || c == '!') in_name = false;
      if (c == '{') ++open;
      if (c == '}' && --open == 0) return at;
    }
    raise("ValueError", "expected '}' before end of string");
  }

  std::string replace(const Field& field, int nesting) {
    const Value value = converted(find(field.name), field.conversion);
    const std::string spec = format(field.spec, nesting - 1);
    if (escapes_ && value.is_markup() && spec.empty()) return value.bytes();
    const std::string text = format_value(value, spec, context_);
    return escapes_ ? escape_html(text) : text;
  }

  // The value of a name: an argument, then attributes (.name) and items ([key]) of it.
  Value find(std::string_view name) {
    const size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = argument(name.substr(0, end), name.size());
    for (name.remove_prefix(end); !name.empty();) {
      const bool is_attribute = name[0] == '.';
      if (!is_attribute && name[0] != '[')
        raise("ValueError", "Only '.' or '[' may follow ']' in format field specifier");
      name.remove_prefix(1);
      const size_t stop = std::min(is_attribute ? name.find_first_of(".[") : name.find(']'), name.size());
      if (!is_attribute && stop == name.size()) raise("ValueError", "Missing ']' in format string");
      const std::string key(name.substr(0, stop));
      if (key.empty()) raise("ValueError", "Empty attribute in format string");
      value = is_attribute ? get_attribute(value, key, context_) : get_item(value, item_key(key), context_);
      name.remove_prefix(is_attribute ? stop : stop + 1);
    }
    return value;
  }

  static bool is_number(std::string_view text) {
    return !text.empty() && text.size() < 18 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  }

  Value item_key(const std::string& key) {
    return is_number(key) ? Value(int64_t{std::stoll(key)}) : context_.text(key);
  }

  // Numbers in turn where fields have no names (`{}`), which do not go together with numbers that are written.
  Value argument(std::string_view name, size_t whole_name) {
    if (whole_name == 0) {
      if (numbered_) fail_switch();
      return positional(automatic_++);
    }
    if (is_number(name)) {
      if (name.size() == whole_name) {
        if (automatic_ > 0) fail_switch();
        numbered_ = true;
      }
      return positional(static_cast<size_t>(std::stoll(std::string(name))));
    }
    for (const auto& [known, value] : arguments_.named)
      if (known == name) return value;
    raise("KeyError", repr(context_.text(std::string(name)), context_.meter()));
  }

  [[noreturn]] static void fail_switch() {
    raise("ValueError", "cannot switch from manual field specification to automatic field numbering");
  }

  const Value& positional(size_t index) const {
    if (index >= arguments_.positional.size()) raise("IndexError", "tuple index out of range");
    return arguments_.positional[index];
  }

  Value converted(Value value, char conversion) {
    if (conversion == 0) return value;
    if (conversion == 's') return context_.text(context_.str(value));
    if (conversion == 'r') return context_.text(repr(value, context_.meter()));
    if (conversion == 'a') return context_.text(ascii(repr(value, context_.meter())));
    raise("ValueError", fmt::format("Unknown conversion specifier {}", conversion));
  }

  bool escapes_;  // what is put into a markup
  const Arguments& arguments_;
  Context& context_;
  size_t automatic_ = 0;   // fields without a name so far
  bool numbered_ = false;  // whether a field was written with a number
};

}  // namespace

std::string format_braces(const Value& format, const Arguments& arguments, Context& context) {
  return Formatter(format.is_markup(), arguments, context).format(format.bytes(), kMaxNesting);
}

}  // namespace cleave::jinja
