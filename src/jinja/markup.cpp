#include "jinja/markup.h"

#include <array>
#include <charconv>

#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

// The result of a method with its texts as markup.
Value marked(const Value& value, Context& context) {
  if (value.is_text()) return context.text(value.bytes(), true);
  if (!value.is_list() && !value.is_sequence(Sequence::Type::Tuple)) return value;
  std::vector<Value> items;
  for (const Value& item : value.as_sequence().items) items.push_back(marked(item, context));
  return context.list(std::move(items), value.as_sequence().type);
}

// Appends the character of an entity ("amp", "#39", "#x27"); false for one that is not known.
bool append_entity(std::string_view name, std::string& text) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNames = {
      {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
  for (const auto& [known, character] : kNames)
    if (name == known) return text.push_back(character), true;
  if (!name.starts_with('#')) return false;
  name.remove_prefix(1);
  const bool is_hex = name.starts_with('x') || name.starts_with('X');
  if (is_hex) name.remove_prefix(1);
  uint32_t code = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, is_hex ? 16 : 10);
  const bool is_whole = error == std::errc() && end == name.data() + name.size();
  if (!is_whole || code == 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  unicode::append_utf8(text, static_cast<char32_t>(code));
  return true;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      case '"':
        escaped += "&#34;";
        break;
      default:
        escaped.push_back(c);
    }
  }
  return escaped;
}

std::string unescape_html(std::string_view text) {
  std::string characters;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    const bool is_entity = end != std::string_view::npos && append_entity(text.substr(i + 1, end - i - 1), characters);
    if (is_entity)
      i = end;
    else
      characters.push_back(text[i]);
  }
  return characters;
}

Value escaped(const Value& value, Context& context) {
  return value.is_markup() ? value : context.text(escape_html(context.str(value)), true);
}

Value call_on_markup(Value (*method)(Context&, const Value&, const Arguments&), const std::string& name,
                     const Value& self, const Arguments& arguments, Context& context) {
  Arguments changed = arguments;
  const bool fills = name == "replace" || name == "ljust" || name == "rjust" || name == "center";
  if (fills && changed.positional.size() > 1) changed.positional[1] = escaped(changed.positional[1], context);
  if (name == "join" && changed.positional.size() == 1) {
    std::vector<Value> items = iterate(changed.positional[0], context.meter());
    for (Value& item : items) item = escaped(item, context);
    changed.positional[0] = context.list(std::move(items));
  }
  return marked(method(context, self, changed), context);
}

}  // namespace cleave::jinja
