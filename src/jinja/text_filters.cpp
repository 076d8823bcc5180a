#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "jinja/arguments.h"
#include "jinja/characters.h"
#include "jinja/filters.h"
#include "jinja/format_percent.h"
#include "jinja/json_writer.h"
#include "jinja/markup.h"
#include "jinja/split.h"
#include "unicode/normal_form.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

size_t memory_limit(Context& context) {
  return context.meter().limits().memory_bytes;
}

template <std::string (*Function)(std::string_view), bool KeepsMarkup = true>
Value rewrite(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "filter");
  return context.text(Function(context.str(value)), KeepsMarkup && value.is_markup());
}

// Jinja2's title: words begin behind white space, hyphens and opening brackets.
std::string title(std::string_view text) {
  std::string result;
  bool begins = true;
  for (size_t i = 0; i < text.size();) {
    const std::string_view character = text.substr(i, unicode::valid_utf8_at(text, i).size);
    result += begins ? upper_case(character) : unicode::lower_case(character);
    begins = character == "-" || character == "(" || character == "{" || character == "[" || character == "<" ||
             stripped(character, nullptr, Sides::Both).empty();
    i += character.size();
  }
  return result;
}

Value mark_safe(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "safe");
  return context.text(context.str(value), true);
}

Value escape(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "escape");
  return escaped(value, context);
}

Value force_escape(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "forceescape");
  return context.text(escape_html(context.str(value)), true);
}

Value to_string(Context& context, const Value& value, const Arguments& arguments) {
  no_arguments(arguments, "string");
  return value.is_text() ? value : context.text(context.str(value));
}

std::string url_encode(std::string_view text) {
  constexpr std::string_view kSafe = "/-._~";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte < 0x80 && std::isalnum(byte) != 0) || kSafe.find(c) != std::string_view::npos)
      encoded.push_back(c);
    else
      encoded += fmt::format("%{:02X}", byte);
  }
  return encoded;
}

Value trim(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "trim", {"chars"});
  const bool given = bound.find(0) != nullptr && !bound.find(0)->is_none();
  return context.text(std::string(stripped(context.str(value), given ? &bound.text(0) : nullptr, Sides::Both)),
                      value.is_markup());
}

Value replace(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "replace", {"old", "new", "count"});
  const bool limited = bound.find(2) != nullptr && !bound.find(2)->is_none();
  return context.text(replaced(context.str(value), context.str(bound.at(0)), context.str(bound.at(1)),
                               limited ? bound.integer(2, -1) : -1, memory_limit(context)));
}

Value indent(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "indent", {"width", "first", "blank"});
  if (value.is_undefined()) fail_undefined(value);
  if (!value.is_text())
    raise("TypeError", fmt::format("unsupported operand type(s) for +=: '{}' and 'str'", type_name(value)));
  constexpr int64_t kMaxWidth = 10'000;
  const Value* width = bound.find(0);
  const std::string indention =
      width != nullptr && width->is_text()
          ? width->bytes()
          : std::string(static_cast<size_t>(std::clamp(bound.integer(0, 4), int64_t{0}, kMaxWidth)), ' ');
  const std::string text = value.bytes() + "\n";
  std::string result = bound.boolean(1, false) ? indention : "";
  bool first = true;
  for (const std::string_view line : split_lines(text, false)) {
    if (!first) {
      result.push_back('\n');
      if (bound.boolean(2, false) || !line.empty()) result += indention;
    }
    first = false;
    result += line;
    if (result.size() > memory_limit(context)) raise("MemoryError", "a text beyond the limit of memory");
  }
  return context.text(std::move(result), value.is_markup());
}

Value center(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "center", {"width"});
  return context.text(padded(Text(nullptr, context.str(value)), bound.integer(0, 80), " ", 1, memory_limit(context)),
                      value.is_markup());
}

Value format_filter(Context& context, const Value& value, const Arguments& arguments) {
  const Value format = value.is_text() ? value : context.text(context.str(value));
  if (!arguments.named.empty()) {
    if (!arguments.positional.empty())
      raise("FilterArgumentError", "can't handle positional and keyword arguments at the same time");
    auto dict = std::make_shared<Dict>(&context.meter());
    for (const auto& [name, argument] : arguments.named) dict->set(context.text(name), argument);
    return format_percent(format, {Value(std::shared_ptr<const Dict>(dict))}, context);
  }
  return format_percent(format, arguments.positional, context);
}

std::string first_characters(std::string_view text, int64_t count) {
  size_t end = 0;
  for (int64_t i = 0; i < count && end < text.size(); ++i) end += unicode::valid_utf8_at(text, end).size;
  return std::string(text.substr(0, end));
}

Value truncate(Context& context, const Value& value, const Arguments& arguments) {
  const BoundArguments bound(arguments, "truncate", {"length", "killwords", "end", "leeway"});
  const int64_t length = bound.integer(0, 255);
  const Text end(nullptr, bound.text(2, "..."));
  const size_t characters = jinja::length(value);  // raises where the value has none
  if (!value.is_text() && static_cast<int64_t>(characters) > length + 5)
    raise("TypeError", fmt::format("'{}' object cannot be truncated", type_name(value)));
  if (!value.is_text()) return value;
  const Text text(nullptr, context.str(value));
  if (length < static_cast<int64_t>(end.length)) raise("AssertionError", "expected length >= that of the end");
  const bool has_leeway = bound.find(3) != nullptr && !bound.find(3)->is_none();
  if (static_cast<int64_t>(text.length) <= length + (has_leeway ? bound.integer(3, 5) : 5)) return value;
  std::string result = first_characters(text.bytes, length - static_cast<int64_t>(end.length));
  if (!bound.boolean(1, false))
    if (const size_t space = result.rfind(' '); space != std::string::npos) result.resize(space);
  return context.text(result + (value.is_markup() ? escape_html(end.bytes) : end.bytes), value.is_markup());
}

Value wordcount(Context& context, const Value& value, const Arguments&) {
  const std::string text = context.str(value);
  int64_t count = 0;
  bool in_word = false;
  for (const char c : text) {
    const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<uint8_t>(c) >= 0x80;
    if (word && !in_word) ++count;
    in_word = word;
  }
  return count;
}

// The text without tags and comments; runs of white space become one space, entities the characters they stand for.
Value striptags(Context& context, const Value& value, const Arguments&) {
  const std::string text = context.str(value);
  std::string kept;
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '<') {
      const bool comment = text.compare(i, 4, "<!--") == 0;
      const size_t end = text.find(comment ? "-->" : ">", i);
      if (end != std::string::npos) {
        i = end + (comment ? 3 : 1);
        continue;
      }
    }
    kept.push_back(text[i++]);
  }
  std::string joined;
  for (const std::string_view word : split_at_space(kept, -1, false))
    joined.append(joined.empty() ? "" : " ").append(word);
  return context.text(unescape_html(joined));
}

struct Entry {
  const char* name;
  FilterFunction function;
};
constexpr std::array<Entry, 19> kFilters = {{
    {"upper", rewrite<upper_case>},
    {"lower", rewrite<unicode::lower_case>},
    {"capitalize", rewrite<capitalized>},
    {"title", rewrite<title, false>},
    {"escape", escape},
    {"e", escape},
    {"forceescape", force_escape},
    {"safe", mark_safe},
    {"string", to_string},
    {"urlencode", rewrite<url_encode, false>},
    {"trim", trim},
    {"replace", replace},
    {"indent", indent},
    {"center", center},
    {"format", format_filter},
    {"truncate", truncate},
    {"wordcount", wordcount},
    {"striptags", striptags},
    {"tojson", tojson_filter},
}};

}  // namespace

FilterFunction find_text_filter(const std::string& name) {
  for (const Entry& entry : kFilters)
    if (name == entry.name) return entry.function;
  return nullptr;
}

}  // namespace cleave::jinja
