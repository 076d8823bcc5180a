#include "jinja/methods.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jinja/arguments.h"
#include "jinja/characters.h"
#include "jinja/format_braces.h"
#include "jinja/split.h"
#include "unicode/classes.h"
#include "unicode/normal_form.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// ---- str

template <std::string (*Function)(std::string_view)>
Value rewrite(Context& context, const Value& self, const Arguments& arguments) {
  no_arguments(arguments, "str method");
  return context.text(Function(self.bytes()));
}

template <bool (*Function)(std::string_view)>
Value ask(Context&, const Value& self, const Arguments& arguments) {
  no_arguments(arguments, "str method");
  return Function(self.bytes());
}

template <bool (*InClass)(char32_t)>
Value ask_class(Context&, const Value& self, const Arguments& arguments) {
  no_arguments(arguments, "str method");
  return all_characters(self.bytes(), InClass);
}

bool is_letter_or_number(char32_t code) {
  return unicode::is_letter(code) || unicode::is_numeric(code);
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

bool is_all_printable(std::string_view text) {
  return text.empty() || all_characters(text, unicode::is_printable);
}

template <Sides Where>
Value strip(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "strip", {"chars"});
  const bool given = bound.find(0) != nullptr && !bound.find(0)->is_none();
  return context.text(std::string(stripped(self.bytes(), given ? &bound.text(0) : nullptr, Where)));
}

template <bool FromRight>
Value split(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound(arguments, "split", {"sep", "maxsplit"});
  const int64_t limit = bound.integer(1, -1);
  std::vector<Value> parts;
  const auto add = [&](std::string_view part) { parts.push_back(context.text(std::string(part))); };
  if (bound.find(0) == nullptr || bound.find(0)->is_none()) {
    for (const std::string_view part : split_at_space(self.bytes(), limit, FromRight)) add(part);
  } else {
    if (bound.text(0).empty()) raise("ValueError", "empty separator");
    for (const std::string_view part : split_at(self.bytes(), bound.text(0), limit, FromRight)) add(part);
  }
  return context.list(std::move(parts));
}

Value split_into_lines(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound(arguments, "splitlines", {"keepends"});
  std::vector<Value> lines;
  for (const std::string_view line : split_lines(self.bytes(), bound.boolean(0, false)))
    lines.push_back(context.text(std::string(line)));
  return context.list(std::move(lines));
}

// The part of a text between a method's arguments `start` and `end`.
std::string_view part(const Value& self, const BoundArguments& bound, size_t start, size_t end) {
  std::string_view text = self.bytes();
  const auto size = static_cast<int64_t>(self.as_text().length);
  const auto position = [&](size_t index, int64_t otherwise) {
    const Value* value = bound.find(index);
    const int64_t at = value == nullptr || value->is_none() ? otherwise : bound.integer(index, otherwise);
    return std::clamp(at < 0 ? std::max(at, -size) + size : at, int64_t{0}, size);
  };
  const int64_t first = position(start, 0);
  const int64_t last = std::max(first, position(end, size));
  if (first == 0 && last == size) return text;
  size_t begin = 0;
  for (int64_t i = 0; i < first; ++i) begin += unicode::valid_utf8_at(text, begin).size;
  size_t stop = begin;
  for (int64_t i = first; i < last; ++i) stop += unicode::valid_utf8_at(text, stop).size;
  return text.substr(begin, stop - begin);
}

template <bool AtStart>
Value has_affix(Context&, const Value& self, const Arguments& arguments) {
  const BoundArguments bound =
      positional_only(arguments, AtStart ? "startswith" : "endswith", {"prefix", "start", "end"});
  const std::string_view text = part(self, bound, 1, 2);
  const auto has = [&](const Value& affix) {
    if (affix.is_undefined()) fail_undefined(affix);
    if (!affix.is_text())
      raise("TypeError", fmt::format("{} first arg must be str or a tuple of str, not {}",
                                     AtStart ? "startswith" : "endswith", type_name(affix)));
    return AtStart ? text.starts_with(affix.bytes()) : text.ends_with(affix.bytes());
  };
  const Value& affix = bound.at(0);
  if (!affix.is_sequence(Sequence::Type::Tuple)) return has(affix);
  const std::vector<Value>& affixes = affix.as_sequence().items;
  return std::any_of(affixes.begin(), affixes.end(), has);
}

template <bool Prefix>
Value remove_affix(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, Prefix ? "removeprefix" : "removesuffix", {"affix"});
  std::string_view text = self.bytes();
  const std::string& affix = bound.text(0);
  if (Prefix && text.starts_with(affix)) text.remove_prefix(affix.size());
  if (!Prefix && text.ends_with(affix)) text.remove_suffix(affix.size());
  return context.text(std::string(text));
}

Value replace(Context& context, const Value& self, const Arguments& arguments) {
  if (!arguments.named.empty()) raise("TypeError", "str.replace() takes no keyword arguments");
  const BoundArguments bound(arguments, "replace", {"old", "new", "count"});
  return context.text(replaced(self.bytes(), bound.text(0), bound.text(1), bound.integer(2, -1),
                               context.meter().limits().memory_bytes));
}

// The number of characters of a text before a byte of one of its parts.
int64_t characters_before(const Value& self, std::string_view where, size_t offset) {
  const std::string_view before(self.bytes().data(), static_cast<size_t>(where.data() - self.bytes().data()) + offset);
  return std::count_if(before.begin(), before.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; });
}

template <bool FromRight, bool MustBeThere>
Value find(Context&, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "find", {"sub", "start", "end"});
  const std::string_view text = part(self, bound, 1, 2);
  const size_t at = FromRight ? text.rfind(bound.text(0)) : text.find(bound.text(0));
  if (at != std::string_view::npos) return characters_before(self, text, at);
  if (MustBeThere) raise("ValueError", "substring not found");
  return int64_t{-1};
}

Value count(Context&, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "count", {"sub", "start", "end"});
  const std::string_view text = part(self, bound, 1, 2);
  const std::string& sought = bound.text(0);
  if (sought.empty()) return static_cast<int64_t>(self.as_text().length) + 1;
  int64_t found = 0;
  for (size_t at = text.find(sought); at != std::string_view::npos; at = text.find(sought, at + sought.size())) ++found;
  return found;
}

Value join(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "join", {"iterable"});
  const Value& source = bound.at(0);
  if (!source.is_text() && !source.is_sequence() && !source.is_dict() && !source.is_undefined())
    raise("TypeError", "can only join an iterable");
  const std::vector<Value> items = iterate(source, context.meter());
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is_text())
      raise("TypeError", fmt::format("sequence item {}: expected str instance, {} found", i, type_name(items[i])));
    if (i > 0) text += self.bytes();
    text += items[i].bytes();
    if (text.size() > context.meter().limits().memory_bytes) raise("MemoryError", "a text beyond the limit of memory");
  }
  return context.text(std::move(text));
}

template <bool FromRight>
Value partition(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "partition", {"sep"});
  const std::string& separator = bound.text(0);
  if (separator.empty()) raise("ValueError", "empty separator");
  const std::string& text = self.bytes();
  const size_t at = FromRight ? text.rfind(separator) : text.find(separator);
  std::vector<Value> parts(3, context.text(""));
  if (at == std::string::npos) {
    parts[FromRight ? 2 : 0] = self;
  } else {
    parts[0] = context.text(text.substr(0, at));
    parts[1] = context.text(separator);
    parts[2] = context.text(text.substr(at + separator.size()));
  }
  return context.list(std::move(parts), Sequence::Type::Tuple);
}

enum class Align { Left, Right, Centre };

template <Align Where>
Value justify(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "just", {"width", "fillchar"});
  bound.at(0);
  return context.text(padded(self.as_text(), bound.integer(0, 0), bound.text(1, " "),
                             Where == Align::Left    ? 0
                             : Where == Align::Right ? 2
                                                     : 1,
                             context.meter().limits().memory_bytes));
}

Value zero_fill(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "zfill", {"width"});
  bound.at(0);
  const bool has_sign = self.bytes().starts_with('-') || self.bytes().starts_with('+');
  const Text rest(nullptr, self.bytes().substr(has_sign ? 1 : 0));
  const int64_t width = bound.integer(0, 0) - (has_sign ? 1 : 0);
  return context.text(self.bytes().substr(0, has_sign ? 1 : 0) +
                      padded(rest, width, "0", 2, context.meter().limits().memory_bytes));
}

Value format(Context& context, const Value& self, const Arguments& arguments) {
  return context.text(format_braces(self, arguments, context));
}

Value format_map(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "format_map", {"mapping"});
  if (!bound.at(0).is_dict()) raise("TypeError", fmt::format("'{}' object is not a mapping", type_name(bound.at(0))));
  Arguments named;
  for (const auto& [key, value] : bound.at(0).as_dict().entries())
    if (key.is_text()) named.named.emplace_back(key.bytes(), value);
  return context.text(format_braces(self, named, context));
}

// str.expandtabs: columns count from the beginning of each line.
Value expand_tabs(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound(arguments, "expandtabs", {"tabsize"});
  constexpr int64_t kMaxWidth = 1000;
  const int64_t width = std::clamp(bound.integer(0, 8), int64_t{0}, kMaxWidth);
  std::string text;
  int64_t column = 0;
  for (const char c : self.bytes()) {
    const int64_t spaces = c == '\t' && width > 0 ? width - column % width : 0;
    if (c == '\t')
      text.append(static_cast<size_t>(spaces), ' ');
    else
      text.push_back(c);
    column = c == '\n' || c == '\r' ? 0 : column + (c == '\t' ? spaces : (static_cast<uint8_t>(c) & 0xC0) != 0x80);
    if (text.size() > context.meter().limits().memory_bytes) raise("MemoryError", "a text beyond the limit of memory");
  }
  return context.text(std::move(text));
}

// ---- dict

Value get(Context&, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "get", {"key", "default"});
  if (const Value* found = self.as_dict().find(bound.at(0))) return *found;
  return bound.find(1) != nullptr ? *bound.find(1) : Value();
}

template <Sequence::Type What>
Value view(Context& context, const Value& self, const Arguments& arguments) {
  no_arguments(arguments, "dict method");
  std::vector<Value> items;
  for (const auto& [key, value] : self.as_dict().entries())
    items.push_back(What == Sequence::Type::Keys     ? key
                    : What == Sequence::Type::Values ? value
                                                     : context.list({key, value}, Sequence::Type::Tuple));
  return context.list(std::move(items), What);
}

Value copy(Context&, const Value& self, const Arguments& arguments) {
  no_arguments(arguments, "copy");
  return self;  // no copy is needed, because dicts never change
}

// ---- list and tuple

Value index_of(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "index", {"value"});
  const std::vector<Value>& items = self.as_sequence().items;
  for (size_t i = 0; i < items.size(); ++i)
    if (equal(items[i], bound.at(0), context.meter())) return static_cast<int64_t>(i);
  raise("ValueError", fmt::format("{} is not in list", repr(bound.at(0), context.meter())));
}

Value count_items(Context& context, const Value& self, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "count", {"value"});
  const std::vector<Value>& items = self.as_sequence().items;
  return static_cast<int64_t>(std::count_if(
      items.begin(), items.end(), [&](const Value& item) { return equal(item, bound.at(0), context.meter()); }));
}

struct Entry {
  const char* name;
  Method method;
};

constexpr std::array<Entry, 42> kTextMethods = {{
    {"strip", strip<Sides::Both>},
    {"lstrip", strip<Sides::Left>},
    {"rstrip", strip<Sides::Right>},
    {"split", split<false>},
    {"rsplit", split<true>},
    {"splitlines", split_into_lines},
    {"startswith", has_affix<true>},
    {"endswith", has_affix<false>},
    {"removeprefix", remove_affix<true>},
    {"removesuffix", remove_affix<false>},
    {"replace", replace},
    {"upper", rewrite<upper_case>},
    {"lower", rewrite<unicode::lower_case>},
    {"casefold", rewrite<unicode::lower_case>},
    {"title", rewrite<title_case>},
    {"capitalize", rewrite<capitalized>},
    {"swapcase", rewrite<swapped_case>},
    {"find", find<false, false>},
    {"rfind", find<true, false>},
    {"index", find<false, true>},
    {"rindex", find<true, true>},
    {"count", count},
    {"join", join},
    {"partition", partition<false>},
    {"rpartition", partition<true>},
    {"ljust", justify<Align::Left>},
    {"rjust", justify<Align::Right>},
    {"center", justify<Align::Centre>},
    {"zfill", zero_fill},
    {"format", format},
    {"format_map", format_map},
    {"expandtabs", expand_tabs},
    {"isdigit", ask_class<unicode::is_decimal_digit>},
    {"isdecimal", ask_class<unicode::is_decimal_digit>},
    {"isnumeric", ask_class<unicode::is_numeric>},
    {"isalpha", ask_class<unicode::is_letter>},
    {"isalnum", ask_class<is_letter_or_number>},
    {"isspace", ask_class<unicode::is_python_space>},
    {"isascii", ask<is_ascii>},
    {"isprintable", ask<is_all_printable>},
    {"isupper", ask<is_all_upper>},
    {"islower", ask<is_all_lower>},
}};
constexpr std::array<Entry, 5> kDictMethods = {{
    {"get", get},
    {"items", view<Sequence::Type::Items>},
    {"keys", view<Sequence::Type::Keys>},
    {"values", view<Sequence::Type::Values>},
    {"copy", copy},
}};
constexpr std::array<Entry, 3> kSequenceMethods = {{
    {"index", index_of},
    {"count", count_items},
    {"copy", copy},
}};

template <size_t N>
Method look_up(const std::array<Entry, N>& entries, const std::string& name) {
  for (const Entry& entry : entries)
    if (name == entry.name) return entry.method;
  return nullptr;
}

}  // namespace

Method find_method(const Value& value, const std::string& name) {
  if (value.is_text()) return look_up(kTextMethods, name);
  if (value.is_dict()) return look_up(kDictMethods, name);
  const bool is_tuple = value.is_sequence(Sequence::Type::Tuple);
  if (!value.is_list() && !is_tuple) return nullptr;
  return is_tuple && name == "copy" ? nullptr : look_up(kSequenceMethods, name);
}

}  // namespace cleave::jinja
