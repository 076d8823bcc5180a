#include "response/call_head.h"

namespace cleave::response {
namespace {

constexpr size_t kMaxWord = 512;  // bytes of a name or an id

bool ends_word(char c) {
  return static_cast<unsigned char>(c) <= ' ' || std::string_view("<>(){}[]\"'`,=").find(c) != std::string_view::npos;
}

std::string_view first_chunk(std::string_view literal) {
  const std::string_view begin = left_trimmed(literal);
  return begin.substr(0, begin.find_first_of(" \t\r\n"));
}

}  // namespace

Fit CallHead::read(std::string_view text, bool final) {
  end_ = 0;
  name_.clear();
  id_.clear();
  for (size_t i = 0; i < syntax_.head.size(); ++i) {
    const Fit fit = read_piece(i, text, final);
    if (fit != Fit::Yes) return fit;
  }
  return name_.empty() ? Fit::No : Fit::Yes;
}

Fit CallHead::read_piece(size_t index, std::string_view text, bool final) {
  while (end_ < text.size() && is_space(text[end_])) ++end_;
  const HeadPiece& piece = syntax_.head[index];
  if (piece.kind == HeadPiece::Kind::Literal) {
    const Mark mark(piece.text);
    if (mark.empty()) return Fit::Yes;
    if (end_ == text.size()) return final ? Fit::No : Fit::Partly;
    const Match match = mark.at(text, end_);
    end_ = match.end;
    return match.fit == Fit::Partly && final ? Fit::No : match.fit;
  }
  const bool has_next = index + 1 < syntax_.head.size();
  const std::string_view stop = has_next ? first_chunk(syntax_.head[index + 1].text) : std::string_view();
  if (piece.kind == HeadPiece::Kind::Name) return read_word(stop, text, final, name_);
  const Fit fit = read_word(stop, text, final, id_);
  if (fit != Fit::Yes || piece.kind == HeadPiece::Kind::Id) return fit;
  return take_named_id(piece.text) ? Fit::Yes : Fit::No;
}

// A word ends before `stop` and at what is part of no name.
Fit CallHead::read_word(std::string_view stop, std::string_view text, bool final, std::string& word) {
  const size_t begin = end_;
  for (; end_ < text.size() && !ends_word(text[end_]); ++end_) {
    const std::string_view rest = text.substr(end_, stop.size());
    if (stop.empty() || rest != stop.substr(0, rest.size())) continue;
    if (rest.size() < stop.size() && !final) return Fit::Partly;
    break;
  }
  word = text.substr(begin, end_ - begin);
  if (word.size() > kMaxWord) return Fit::No;
  if (end_ == text.size()) return final ? Fit::No : Fit::Partly;
  return word.empty() ? Fit::No : Fit::Yes;
}

// The name in an id such as "functions.NAME:0".
bool CallHead::take_named_id(const std::string& prefix) {
  const size_t begin = id_.compare(0, prefix.size(), prefix) == 0 ? prefix.size() : 0;
  const size_t colon = id_.rfind(':');
  const bool numbered = colon != std::string::npos && colon + 1 < id_.size() &&
                        id_.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  name_ = id_.substr(begin, numbered ? colon - begin : std::string::npos);
  return !name_.empty();
}

}  // namespace cleave::response
