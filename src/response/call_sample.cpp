#include "response/call_sample.h"

#include "base/error.h"

namespace cleave::response {
namespace {

constexpr size_t npos = std::string::npos;

// Notations in which objects are tried.
std::vector<LiteralStyle> object_styles() {
  LiteralStyle python;
  python.python = true;
  return {LiteralStyle(), python};
}

bool mentions(const OrderedJson& value, const std::string& word) {
  return json_text(value).find(word) != npos;
}

// Sets the keys of an object's parts; false where the object has no name and arguments.
bool read_keys(const OrderedJson& object, const ProbeCall& call, CallKeys& keys, int depth = 0) {
  const std::string first_key = call.arguments.begin().key();
  size_t arguments_at = npos;
  size_t id_at = npos;
  size_t at = 0;
  for (const auto& [key, value] : object.items()) {
    if (value.is_string() && value == call.name) keys.name = key;
    if (value.is_string() && value == call.id) id_at = at, keys.id = key;
    const bool is_function = depth == 0 && value.is_object() && mentions(value, call.name);
    if (is_function && read_keys(value, call, keys, depth + 1)) {
      keys.function = key;
      arguments_at = at;
    } else if (key == call.name || mentions(value, first_key)) {
      keys.arguments = key;
      arguments_at = at;
    }
    ++at;
  }
  keys.id_is_last = id_at != npos && arguments_at != npos && id_at > arguments_at;
  const bool is_keyed = keys.name.empty() && keys.arguments == call.name;
  if (is_keyed) keys.arguments.clear();
  return is_keyed || (!keys.name.empty() && !keys.arguments.empty());
}

Span find_word(const std::string& text, const std::string& word, size_t begin, size_t end) {
  const size_t at = text.find(word, begin);
  return at == npos || at >= end ? Span{end, end} : Span{at, at + word.size()};
}

}  // namespace

std::optional<ObjectCall> find_object_call(const std::string& text, size_t begin, const ProbeCall& call) {
  for (const LiteralStyle& style : object_styles())
    for (size_t at = text.find('{', begin); at != npos; at = text.find('{', at + 1)) {
      const auto object = parse_literal_prefix(std::string_view(text).substr(at), style);
      if (!object || !mentions(object->value, call.name)) continue;
      ObjectCall found;
      found.style = style;
      if (!read_keys(object->value, call, found.keys)) continue;
      found.span.whole = {at, at + object->end};
      found.span.name = find_word(text, call.name, at, at + object->end);
      return found;
    }
  return std::nullopt;
}

std::optional<NamedCall> find_named_call(const std::string& text, size_t begin, const ProbeCall& call) {
  const size_t name = text.find(call.name, begin);
  if (name == npos) return std::nullopt;
  for (const LiteralStyle& style : object_styles())
    for (size_t at = text.find('{', name); at != npos; at = text.find('{', at + 1)) {
      const auto object = parse_literal_prefix(std::string_view(text).substr(at), style);
      if (!object || object->value != call.arguments) continue;
      NamedCall found;
      found.style = style;
      found.span.name = {name, name + call.name.size()};
      found.span.arguments = {at, at + object->end};
      const size_t id = text.find(call.id, begin);
      found.span.whole = {std::min(name, id), at + object->end};
      return found;
    }
  return std::nullopt;
}

std::optional<CallSpan> find_tagged_call(const std::string& text, size_t begin, const ProbeCall& call) {
  const size_t name = text.find(call.name, begin);
  if (name == npos) return std::nullopt;
  CallSpan found;
  found.name = {name, name + call.name.size()};
  size_t at = found.name.end;
  for (const auto& [key, value] : call.arguments.items()) {
    const size_t key_at = text.find(key, at);
    if (key_at == npos) return std::nullopt;
    if (at == found.name.end) found.arguments.begin = key_at;
    const std::string word = value.is_string() ? value.get<std::string>() : json_text(value);
    const size_t value_at = text.find(word, key_at + key.size());
    if (value_at == npos) return std::nullopt;
    at = value_at + word.size();
  }
  found.arguments.end = at;
  const size_t id = text.find(call.id, begin);
  found.whole = {std::min(name, id), at};
  return found;
}

}  // namespace cleave::response
