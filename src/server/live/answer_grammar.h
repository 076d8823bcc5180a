#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/grammar.h"
#include "response/call_grammar.h"
#include "response/response_format.h"
#include "server/live/constraints.h"

namespace cleave::server {

/// Whether an answer reasons before it says anything else.
enum class Reasoning : uint8_t {
  Open,      // it begins within its reasoning, since the prompt has opened it
  Possible,  // it may open it
  None,
};
Reasoning reasoning_of(const response::ResponseFormat& format, std::string_view prompt, bool is_wanted);

/// A composer of what an answer may be, as one grammar, from its parts and the marks of the model's format. Special
/// tokens among the marks are meant as tokens. All that it is given must outlive it.
class AnswerGrammar {
 public:
  AnswerGrammar(const Constraints& constraints, const response::ResponseFormat& format)
      : constraints_(constraints), format_(format) {}

  /// An answer that is reasoning, if any, then the content or the calls; at least one of them is given.
  grammar::Piece whole(Reasoning reasoning, std::optional<grammar::Piece> content,
                       const std::optional<response::CallGrammar>& calls) const;
  /// An answer that is anything, but for what follows the opening of a call.
  grammar::Piece from_openings(const std::vector<response::CallGrammar>& openings) const;

 private:
  grammar::Piece literal(std::string_view text) const;
  grammar::Piece up_to(std::string_view mark, const grammar::Piece& behind) const;
  grammar::Piece piece_of(const response::SyntaxPiece& syntax) const;
  grammar::Piece content_in_marks(grammar::Piece content) const;
  grammar::Piece behind_reasoning(Reasoning reasoning, grammar::Piece body) const;
  grammar::Piece behind_analysis(Reasoning reasoning, grammar::Piece body) const;

  const Constraints& constraints_;
  const response::ResponseFormat& format_;
};

}  // namespace cleave::server
