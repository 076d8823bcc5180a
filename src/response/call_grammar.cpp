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

// The first tag of what opens calls, which models write as it is; the whole of it where it begins with none.
std::string first_mark(std::string_view open) {
  const std::string_view mark = trimmed(open);
  const std::vector<Tag> tags = tags_in(mark);
  const bool is_tag = !tags.empty() && tags[0].begin == 0 && tags[0].end < mark.size();
  return std::string(is_tag ? mark.substr(0, tags[0].end) : mark);
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
  std::vector<SyntaxPiece> choices;
  for (const std::string& name : names) choices.push_back(call_piece(syntax, name, tools.parameters(name)));
  const SyntaxPiece call = choice_piece(std::move(choices));
  const bool in_section = !trimmed(syntax.section_open).empty();
  const std::string before = in_section ? syntax.section_open + syntax.open : syntax.open;
  CallGrammar grammar;
  grammar.opening = syntax.is_bare() ? "" : first_mark(in_section ? syntax.section_open : syntax.open);
  std::vector<SyntaxPiece> parts = {literal_piece(std::string(left_trimmed(before)).substr(grammar.opening.size())),
                                    call, literal_piece(syntax.close)};
  if (several && syntax.several)
    parts.push_back(any_number_piece(
        sequence_piece({literal_piece(syntax.separator + syntax.open), call, literal_piece(syntax.close)})));
  parts.push_back(literal_piece(syntax.section_close));
  grammar.rest = sequence_piece(std::move(parts));
  return grammar;
}

}  // namespace cleave::response
