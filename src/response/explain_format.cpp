#include "response/explain_format.h"

#include <fmt/format.h>

#include "response/literal.h"

namespace cleave::response {
namespace {

std::string quoted(const std::string& text) {
  return fmt::format("\"{}\"", json_escaped(text));
}

const char* source_of(const ResponseFormat& format) {
  switch (format.source) {
    case FormatSource::Declared:
      return "the checkpoint's response_template";
    case FormatSource::Template:
      return "renderings of the chat template";
    case FormatSource::Nowhere:
      return "nothing; answers are text";
  }
  return "";
}

const char* kind_of(const CallSyntax& calls) {
  switch (calls.kind) {
    case CallKind::None:
      return "none";
    case CallKind::Object:
      return calls.style.is_json() ? "JSON objects" : "objects in Python's notation";
    case CallKind::Named:
      return "a name, then its arguments as an object";
    case CallKind::Tagged:
      return calls.arguments.raw_strings ? "a name, then each argument between tags"
                                         : "a name, then each argument as in Python";
    case CallKind::Channels:
      return "messages to a tool";
  }
  return "";
}

/// Lines of a name and a value; those without a value are left out.
class Lines {
 public:
  void add(std::string_view name, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<20}{}\n", name, value);
  }
  void quote(std::string_view name, const std::string& value) {
    if (!value.empty()) add(name, quoted(value));
  }
  void between(std::string_view name, const std::string& open, const std::string& close) {
    if (!open.empty() || !close.empty()) add(name, fmt::format("{} ... {}", quoted(open), quoted(close)));
  }

  std::string text;
};

std::string head_text(const std::vector<HeadPiece>& head) {
  std::string text;
  for (const HeadPiece& piece : head) {
    if (!text.empty()) text += " ";
    switch (piece.kind) {
      case HeadPiece::Kind::Literal:
        text += quoted(piece.text);
        break;
      case HeadPiece::Kind::Name:
        text += "NAME";
        break;
      case HeadPiece::Kind::Id:
        text += "ID";
        break;
      case HeadPiece::Kind::NamedId:
        text += quoted(piece.text) + " NAME \":\" NUMBER";
        break;
      case HeadPiece::Kind::Arguments:
        text += "ARGUMENTS";
        break;
    }
  }
  return text;
}

void explain_calls(const CallSyntax& calls, Lines& lines) {
  lines.add("calls", kind_of(calls));
  if (calls.kind == CallKind::None || calls.kind == CallKind::Channels) return;
  lines.between("all calls", calls.section_open, calls.section_close);
  lines.between("each call", calls.open, calls.close);
  lines.quote("between calls", calls.separator);
  lines.add("before arguments", head_text(calls.head));
  lines.add("written as", head_text(calls.written));
  const ArgumentMarks& marks = calls.arguments;
  if (calls.kind == CallKind::Tagged) {
    lines.between("argument", marks.open, marks.close);
    lines.quote("key to value", marks.key_end);
    lines.quote("key to no string", marks.key_end_other);
    lines.quote("between arguments", marks.separator);
    lines.quote("end of arguments", marks.end);
  }
  if (calls.style.quote != "\"") lines.quote("quotes of strings", calls.style.quote);
  lines.add("several calls", calls.several ? "yes" : "no");
  if (calls.is_bare()) lines.add("", "no mark of their own: known tools alone, at the beginning of an answer");
}

void explain_channels(const ChannelSyntax& channels, Lines& lines) {
  lines.add("channels", fmt::format("{}NAME{}", channels.channel, channels.message));
  lines.quote("reasoning channel", channels.reasoning);
  lines.quote("content channel", channels.content);
  lines.quote("tool's name behind", channels.recipient);
  std::string ends;
  for (const std::string& end : channels.ends) ends += fmt::format("{}{}", ends.empty() ? "" : ", ", quoted(end));
  lines.add("ends", ends);
}

std::string traits_of(const MessageTraits& traits) {
  std::string text = traits.arguments_are_objects ? "arguments as objects" : "arguments as JSON text";
  if (traits.content_is_parts) text += ", content in parts";
  if (traits.ids_are_short) text += ", ids of nine letters";
  if (traits.reasoning_is_part) return text + ", reasoning as a part of the content";
  return text + (traits.reasoning_key.empty() ? ", reasoning left out" : ", reasoning in " + traits.reasoning_key);
}

}  // namespace

std::string explain_format(const ResponseFormat& format) {
  Lines lines;
  lines.add("found in", source_of(format));
  if (format.channels)
    explain_channels(*format.channels, lines);
  else
    lines.between("reasoning", format.reasoning_open, format.reasoning_close);
  if (format.reasons() && !format.channels)
    lines.add("", format.prompt_opens_reasoning ? "the prompt opens it" : "the model opens it");
  lines.between("content", format.content_open, format.content_close);
  explain_calls(format.calls, lines);
  lines.add("history", traits_of(format.traits));
  for (const std::string& note : format.notes) lines.add("note", note);
  return lines.text;
}

}  // namespace cleave::response
