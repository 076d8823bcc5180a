#include "response/call_grammar.h"

#include <fmt/format.h>

#include "response/argument_grammar.h"
#include "response/literal.h"
#include "response/mark.h"

namespace cleave::response {
namespace {

SyntaxPiece id_piece(std::string prefix) {
  return {.kind = SyntaxPiece::Kind::Regex, .text = std::move(prefix)};
}

// An object as the template writes it, or in an order of its own where the template writes the arguments otherwise.
std::vector<HeadPiece> object_pieces(const CallSyntax& syntax) {
  for (const HeadPiece& piece : syntax.written)
    if (piece.kind == HeadPiece::Kind::Arguments) return syntax.written;
  const CallKeys& keys = syntax.keys;
  const std::string begin = keys.function.empty() ? "{" : fmt::format("{{\"{}\": {{", keys.function);
  const std::string name = keys.name.empty() ? "\"" : fmt::format("\"{}\": \"", keys.name);
  const std::string arguments = keys.name.empty() ? "\": " : fmt::format("\", \"{}\": ", keys.arguments);
  return {{HeadPiece::Kind::Literal, begin + name},
          {HeadPiece::Kind::Name},
          {HeadPiece::Kind::Literal, arguments},
          {HeadPiece::Kind::Arguments},
          {HeadPiece::Kind::Literal, keys.function.empty() ? "}" : "}}"}};
}

std::vector<SyntaxPiece> written(const std::vector<HeadPiece>& pieces, const std::string& name,
                                 const OrderedJson& parameters) {
  std::vector<SyntaxPiece> parts;
  for (const HeadPiece& piece : pieces) switch (piece.kind) {
      case HeadPiece::Kind::Literal:
        parts.push_back(literal_piece(piece.text));
        break;
      case HeadPiece::Kind::Name:
        parts.push_back(literal_piece(name));
        break;
      case HeadPiece::Kind::Id:
        parts.push_back(id_piece("[a-zA-Z0-9]{9}"));
        break;
      case HeadPiece::Kind::NamedId:
        parts.push_back(literal_piece(piece.text + name + ":"));
        parts.push_back(id_piece("[0-9]{1,3}"));
        break;
      case HeadPiece::Kind::Arguments:
        parts.push_back(schema_piece(parameters));
        break;
    }
  return parts;
}

// A call of one tool, without what is around calls.
SyntaxPiece call_piece(const CallSyntax& syntax, const std::string& name, const OrderedJson& parameters) {
  std::vector<SyntaxPiece> parts =
      written(syntax.kind == CallKind::Object ? object_pieces(syntax) : syntax.head, name, parameters);
  if (syntax.kind == CallKind::Named) parts.push_back(schema_piece(parameters));
  if (syntax.kind == CallKind::Tagged) parts.push_back(argument_grammar(syntax, parameters));
  return sequence_piece(std::move(parts));
}

CallGrammar channel_grammar(const ChannelSyntax& channels, const ToolSchemas& tools,
                            const std::vector<std::string>& names) {
  const size_t name_at = channels.call_header.find('\0');
  std::vector<SyntaxPiece> calls;
  for (const std::string& name : names)
    calls.push_back(sequence_piece(
        {literal_piece(name + channels.call_header.substr(name_at + 1)), schema_piece(tools.parameters(name))}));
  return {channels.call_header.substr(0, name_at), choice_piece(std::move(calls))};
}

// A message to one of the tools, from where a header names who it is for.
CallGrammar recipient_grammar(const ChannelSyntax& channels, const ToolSchemas& tools,
                              const std::vector<std::string>& names) {
  const SyntaxPiece up_to_message = {.kind = SyntaxPiece::Kind::Free, .text = channels.message};
  const SyntaxPiece header =
      choice_piece({literal_piece(channels.message), sequence_piece({literal_piece(" "), up_to_message}),
                    sequence_piece({literal_piece(channels.channel), up_to_message})});
  std::vector<SyntaxPiece> calls;
  for (const std::string& name : names)
    calls.push_back(sequence_piece({literal_piece(name), header, schema_piece(tools.parameters(name))}));
  return {std::string(trimmed(channels.recipient)), choice_piece(std::move(calls))};
}

// The first tag of what opens calls, which models write as it is; the whole of it where it begins with none.
std::string first_mark(std::string_view open) {
  const std::string_view mark = trimmed(open);
  const std::vector<Tag> tags = tags_in(mark);
  const bool is_tag = !tags.empty() && tags[0].begin == 0 && tags[0].end < mark.size();
  return std::string(is_tag ? mark.substr(0, tags[0].end) : mark);
}

/// The calls of an answer, all of some tools.
class Calls {
 public:
  Calls(const CallSyntax& syntax, const ToolSchemas& tools, const std::vector<std::string>& names, bool several)
      : syntax_(syntax), several_(several && syntax.several) {
    std::vector<SyntaxPiece> choices;
    for (const std::string& name : names) choices.push_back(call_piece(syntax, name, tools.parameters(name)));
    call_ = choice_piece(std::move(choices));
  }

  CallGrammar in_section() const { return from(syntax_.section_open, syntax_.section_open + syntax_.open, true); }
  CallGrammar alone() const { return from(syntax_.open, syntax_.open, false); }

 private:
  // `open`: where the opening is; `before`: all that precedes the first call.
  CallGrammar from(const std::string& open, std::string_view before, bool has_section) const {
    CallGrammar grammar;
    grammar.opening = syntax_.is_bare() ? "" : first_mark(open);
    std::vector<SyntaxPiece> parts = {literal_piece(std::string(left_trimmed(before)).substr(grammar.opening.size())),
                                      call_, literal_piece(syntax_.close)};
    if (several_)
      parts.push_back(any_number_piece(
          sequence_piece({literal_piece(syntax_.separator + syntax_.open), call_, literal_piece(syntax_.close)})));
    if (has_section) parts.push_back(literal_piece(syntax_.section_close));
    grammar.rest = sequence_piece(std::move(parts));
    return grammar;
  }

  const CallSyntax& syntax_;
  const bool several_;
  SyntaxPiece call_;
};

bool has_section(const CallSyntax& syntax) {
  return !trimmed(syntax.section_open).empty();
}

bool can_be_described(const CallSyntax& syntax) {
  if (syntax.kind == CallKind::Tagged) return true;
  return syntax.kind != CallKind::None && syntax.style.is_json();
}

}  // namespace

std::optional<CallGrammar> call_grammar(const ResponseFormat& format, const ToolSchemas& tools,
                                        const std::vector<std::string>& names, bool several) {
  const CallSyntax& syntax = format.calls;
  if (names.empty() || !can_be_described(syntax)) return std::nullopt;
  if (syntax.kind == CallKind::Channels) return channel_grammar(*format.channels, tools, names);
  const Calls calls(syntax, tools, names, several);
  return has_section(syntax) ? calls.in_section() : calls.alone();
}

std::vector<CallGrammar> call_openings(const ResponseFormat& format, const ToolSchemas& tools,
                                       const std::vector<std::string>& names, bool several) {
  const CallSyntax& syntax = format.calls;
  if (names.empty() || !can_be_described(syntax) || syntax.is_bare()) return {};
  if (syntax.kind == CallKind::Channels) {
    if (trimmed(format.channels->recipient).empty()) return {};
    return {recipient_grammar(*format.channels, tools, names)};
  }
  const Calls calls(syntax, tools, names, several);
  if (!has_section(syntax)) return {calls.alone()};
  std::vector<CallGrammar> openings = {calls.in_section()};
  if (CallGrammar alone = calls.alone(); !alone.opening.empty() && alone.opening != openings[0].opening)
    openings.push_back(std::move(alone));
  return openings;
}

std::string unheld_keyword(const ResponseFormat& format, const OrderedJson& parameters) {
  return format.calls.kind == CallKind::Tagged ? unheld_argument_keyword(format.calls, parameters) : "";
}

}  // namespace cleave::response
