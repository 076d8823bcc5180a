#include "response/response_format.h"

#include "response/mark.h"

namespace cleave::response {

bool CallSyntax::is_bare() const {
  constexpr size_t kDistinct = 3;  // bytes: `[` and `{` begin other texts, too
  if (kind == CallKind::None || kind == CallKind::Channels) return false;
  const std::string_view first = trimmed(section_open).empty() ? trimmed(open) : trimmed(section_open);
  return first.size() < kDistinct;
}

bool ResponseFormat::begins_in_reasoning(std::string_view prompt) const {
  const std::string_view open = trimmed(reasoning_open);
  const std::string_view end = right_trimmed(prompt);
  if (reasoning_close.empty() || open.empty() || end.size() < open.size()) return false;
  return end.substr(end.size() - open.size()) == open;
}

bool ResponseFormat::is_mark(std::string_view special_token) const {
  const std::string_view token = trimmed(special_token);
  if (token.empty()) return false;
  const auto holds = [&](const std::string& literal) { return literal.find(token) != std::string::npos; };
  for (const std::string* literal :
       {&reasoning_open, &reasoning_close, &content_open, &content_close, &calls.section_open, &calls.section_close,
        &calls.open, &calls.close, &calls.separator, &calls.arguments.open, &calls.arguments.key_end,
        &calls.arguments.key_end_other, &calls.arguments.close, &calls.arguments.separator, &calls.arguments.end,
        &calls.style.quote})
    if (holds(*literal)) return true;
  for (const HeadPiece& piece : calls.head)
    if (holds(piece.text)) return true;
  return channels.has_value() && special_token.front() == '<';
}

ResponseFormat with_plain_calls(ResponseFormat format) {
  using Kind = HeadPiece::Kind;
  format.calls = CallSyntax();
  format.calls.kind = CallKind::Object;
  format.calls.keys = {.function = "", .name = "name", .arguments = "arguments", .id = ""};
  format.calls.written = {{Kind::Literal, "{\"name\": \""},
                          {Kind::Name},
                          {Kind::Literal, "\", \"arguments\": "},
                          {Kind::Arguments},
                          {Kind::Literal, "}"}};
  return format;
}

}  // namespace cleave::response
