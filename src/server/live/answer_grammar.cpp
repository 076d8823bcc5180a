#include "server/live/answer_grammar.h"

#include <utility>

#include "response/mark.h"

namespace cleave::server {
namespace {

using grammar::Piece;
using response::SyntaxPiece;

// White space between reasoning and what follows it; bounded, since some models would never stop.
constexpr const char* kGap = "[ \\t\\r\\n]{0,8}";

// The part of a mark up to its first white space or tag's end: a reader takes any white space behind that.
std::string_view first_chunk(std::string_view mark) {
  const std::vector<response::Tag> tags = response::tags_in(mark);
  const size_t space = mark.find_first_of(" \t\r\n");
  return mark.substr(0, std::min(space, tags.empty() ? mark.size() : tags[0].end));
}

}  // namespace

Reasoning reasoning_of(const response::ResponseFormat& format, std::string_view prompt, bool is_wanted) {
  if (format.channels) return is_wanted ? Reasoning::Possible : Reasoning::None;
  if (format.begins_in_reasoning(prompt)) return Reasoning::Open;
  const std::string_view close = response::trimmed(format.reasoning_close);
  const bool is_over = close.empty() || response::right_trimmed(prompt).ends_with(close);
  return is_over || !is_wanted || response::trimmed(format.reasoning_open).empty() ? Reasoning::None
                                                                                   : Reasoning::Possible;
}

Piece AnswerGrammar::literal(std::string_view text) const {
  return Piece::literal(constraints_.with_special_tokens(text));
}

// Any text up to a mark, which may be written as a special token or as its text.
Piece AnswerGrammar::up_to(std::string_view mark, const Piece& behind) const {
  std::vector<std::pair<std::string, Piece>> marks = {{std::string(mark), behind}};
  if (std::string special = constraints_.with_special_tokens(mark); special != mark)
    marks.emplace_back(std::move(special), behind);
  return Piece::scan(std::move(marks), false);
}

Piece AnswerGrammar::piece_of(const SyntaxPiece& syntax) const {
  std::vector<Piece> parts;
  for (const SyntaxPiece& part : syntax.parts) parts.push_back(piece_of(part));
  switch (syntax.kind) {
    case SyntaxPiece::Kind::Literal:
      return literal(syntax.text);
    case SyntaxPiece::Kind::Schema:
      return Piece::json(syntax.schema);
    case SyntaxPiece::Kind::Regex:
      return Piece::regex(syntax.text);
    case SyntaxPiece::Kind::Free: {
      const std::string_view mark = response::left_trimmed(syntax.text), first = first_chunk(mark);
      return up_to(first, literal(mark.substr(first.size())));
    }
    case SyntaxPiece::Kind::Choice:
      return Piece::choice(std::move(parts));
    case SyntaxPiece::Kind::Repeat:
      return Piece::repeat(std::move(parts.at(0)), syntax.min, syntax.at_most_once ? 1 : grammar::kUnbounded);
    case SyntaxPiece::Kind::Sequence:
      break;
  }
  return Piece::sequence(std::move(parts));
}

Piece AnswerGrammar::content_in_marks(Piece content) const {
  if (format_.channels) {
    const response::ChannelSyntax& channels = *format_.channels;
    return Piece::sequence({literal(channels.channel + channels.content + channels.message), std::move(content)});
  }
  if (response::trimmed(format_.content_open).empty()) return content;
  return Piece::sequence({literal(response::left_trimmed(format_.content_open)), std::move(content),
                          literal(response::right_trimmed(format_.content_close))});
}

// Messages of reasoning before the one that matters; the prompt has begun the first.
Piece AnswerGrammar::behind_analysis(Reasoning reasoning, Piece body) const {
  const response::ChannelSyntax& channels = *format_.channels;
  if (reasoning == Reasoning::None || channels.reasoning.empty() || channels.ends.empty()) return body;
  Piece thought = Piece::sequence({literal(channels.channel + channels.reasoning + channels.message),
                                   up_to(channels.ends[0], literal(channels.start + channels.author))});
  return Piece::sequence({Piece::repeat(std::move(thought), 0, grammar::kUnbounded), std::move(body)});
}

Piece AnswerGrammar::behind_reasoning(Reasoning reasoning, Piece body) const {
  if (format_.channels) return behind_analysis(reasoning, std::move(body));
  if (reasoning == Reasoning::None) return body;
  const Piece rest = Piece::sequence({Piece::regex(kGap), body});
  const Piece closed = up_to(response::trimmed(format_.reasoning_close), rest);
  if (reasoning == Reasoning::Open) return closed;
  return Piece::choice(
      {Piece::sequence({literal(response::trimmed(format_.reasoning_open)), closed}), std::move(body)});
}

Piece AnswerGrammar::whole(Reasoning reasoning, std::optional<Piece> content,
                           const std::optional<response::CallGrammar>& calls) const {
  std::vector<Piece> bodies;
  if (content) bodies.push_back(content_in_marks(std::move(*content)));
  if (calls) bodies.push_back(Piece::sequence({literal(calls->opening), piece_of(calls->rest)}));
  Piece body = bodies.size() == 1 ? std::move(bodies[0]) : Piece::choice(std::move(bodies));
  return behind_reasoning(reasoning, std::move(body));
}

Piece AnswerGrammar::from_openings(const std::vector<response::CallGrammar>& openings) const {
  std::vector<std::pair<std::string, Piece>> marks;
  for (const response::CallGrammar& opening : openings) marks.emplace_back(opening.opening, piece_of(opening.rest));
  return Piece::scan(std::move(marks), true);
}

}  // namespace cleave::server
