#include "server/api/answer.h"

#include <iterator>
#include <utility>

namespace cleave::server::api {

void AnswerPart::append(Piece piece) {
  const bool goes_on = !pieces.empty() && pieces.back().kind == piece.kind && piece.id.empty() && piece.name.empty() &&
                       (piece.kind != Piece::Kind::Call || pieces.back().call == piece.call);
  if (goes_on)
    pieces.back().text += piece.text;
  else
    pieces.push_back(std::move(piece));
}

void AnswerPart::append(AnswerPart later) {
  for (Piece& piece : later.pieces) append(std::move(piece));
  tokens.insert(tokens.end(), later.tokens.begin(), later.tokens.end());
  std::move(later.scores.begin(), later.scores.end(), std::back_inserter(scores));
  logprob += later.logprob;
  if (later.finish) finish = later.finish;
  if (later.stopped_by.index() != 0) stopped_by = std::move(later.stopped_by);
  usage = later.usage;
}

std::string AnswerPart::text(Piece::Kind kind) const {
  std::string result;
  for (const Piece& piece : pieces)
    if (piece.kind == kind) result += piece.text;
  return result;
}

std::vector<Piece> AnswerPart::calls() const {
  std::vector<Piece> result;
  for (const Piece& piece : pieces) {
    if (piece.kind != Piece::Kind::Call) continue;
    if (!result.empty() && result.back().call == piece.call)
      result.back().text += piece.text;
    else
      result.push_back(piece);
  }
  return result;
}

}  // namespace cleave::server::api
