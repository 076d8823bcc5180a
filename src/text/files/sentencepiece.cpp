#include "text/files/sentencepiece.h"

#include <algorithm>

#include "base/error.h"
#include "text/models/score_bpe_model.h"
#include "text/models/token_trie.h"
#include "text/models/unigram_model.h"
#include "text/stages/charsmap.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

using Type = SentencePieceSpec::Type;
constexpr std::string_view kSpaceSymbol = "▁";

class SentencePieceNormalizer final : public Normalizer {
 public:
  SentencePieceNormalizer(const SentencePieceSpec& spec, const std::string& what)
      : charsmap_(spec.charsmap, what),
        add_dummy_prefix_(spec.add_dummy_prefix),
        remove_extra_(spec.remove_extra_whitespaces),
        as_suffix_(spec.whitespace_as_suffix) {
    for (const SentencePieceSpec::Piece& piece : spec.pieces)
      if (piece.type == Type::UserDefined && !piece.text.empty()) user_defined_.insert(piece.text, 0);
  }

  std::string apply(std::string_view text) const override {
    size_t at = 0;
    while (remove_extra_ && at < text.size() && next(text, at).text == " ") at += next(text, at).size;
    if (at == text.size()) return "";
    std::string normal;
    normal.reserve(text.size() + text.size() / 4);
    if (add_dummy_prefix_ && !as_suffix_) normal += kSpaceSymbol;
    bool after_space = remove_extra_;
    while (at < text.size()) {
      const Charsmap::Replacement part = next(text, at);
      std::string_view rest = part.text;
      while (after_space && rest.starts_with(' ')) rest.remove_prefix(1);
      append(rest, normal);
      if (!rest.empty()) after_space = remove_extra_ && rest.ends_with(' ');
      at += part.size;
    }
    while (remove_extra_ && normal.ends_with(kSpaceSymbol)) normal.resize(normal.size() - kSpaceSymbol.size());
    if (add_dummy_prefix_ && as_suffix_) normal += kSpaceSymbol;
    return normal;
  }

 private:
  // The replacement of the text at a place.
  Charsmap::Replacement next(std::string_view text, size_t at) const {
    if (!user_defined_.empty())
      if (const TokenTrie::Match match = user_defined_.longest_at(text, at); match.size > 0)
        return {text.substr(at, match.size), match.size};
    if (const auto replacement = charsmap_.longest_at(text.substr(at))) return *replacement;
    const size_t size = unicode::valid_utf8_at(text, at).size;
    return {text.substr(at, size), size};
  }

  static void append(std::string_view text, std::string& normal) {
    for (const char c : text) {
      if (c == ' ')
        normal += kSpaceSymbol;
      else
        normal.push_back(c);
    }
  }

  Charsmap charsmap_;
  TokenTrie user_defined_;
  bool add_dummy_prefix_;
  bool remove_extra_;
  bool as_suffix_;
};

std::optional<int32_t> unknown_id(const SentencePieceSpec& spec) {
  const auto found = std::find_if(spec.pieces.begin(), spec.pieces.end(),
                                  [](const auto& piece) { return piece.type == Type::Unknown; });
  if (found == spec.pieces.end()) return std::nullopt;
  return static_cast<int32_t>(found - spec.pieces.begin());
}

Vocabulary vocabulary(const SentencePieceSpec& spec) {
  Vocabulary result;
  result.reserve(spec.pieces.size());
  for (size_t id = 0; id < spec.pieces.size(); ++id) result.add(spec.pieces[id].text, static_cast<int32_t>(id));
  return result;
}

std::unique_ptr<TokenModel> make_unigram(const SentencePieceSpec& spec, const std::string& what) {
  UnigramParts parts;
  parts.what = what;
  parts.vocabulary = vocabulary(spec);
  parts.unknown = unknown_id(spec);
  parts.byte_fallback = spec.byte_fallback;
  parts.single_precision = true;
  float least = 0, greatest = 0;  // scores of the normal pieces
  bool any = false;
  for (const SentencePieceSpec::Piece& piece : spec.pieces) {
    if (piece.type != Type::Normal) continue;
    least = any ? std::min(least, piece.score) : piece.score;
    greatest = any ? std::max(greatest, piece.score) : piece.score;
    any = true;
  }
  constexpr float kUnknownPenalty = 10;  // distance of unknown characters from the least probable piece
  parts.unknown_score = least - kUnknownPenalty;
  for (const SentencePieceSpec::Piece& piece : spec.pieces) {
    // User-defined pieces are to be chosen always.
    const double bonus = static_cast<float>(piece.text.size()) * greatest - 0.1;
    parts.scores.push_back(piece.type == Type::UserDefined ? bonus : piece.score);
    parts.hidden.push_back(piece.type != Type::Normal && piece.type != Type::UserDefined);
  }
  return make_unigram_model(std::move(parts));
}

std::unique_ptr<TokenModel> make_bpe(const SentencePieceSpec& spec, const std::string& what) {
  ScoreBpeParts parts;
  parts.what = what;
  parts.vocabulary = vocabulary(spec);
  parts.unknown = unknown_id(spec);
  parts.byte_fallback = spec.byte_fallback;
  for (size_t id = 0; id < spec.pieces.size(); ++id) {
    const SentencePieceSpec::Piece& piece = spec.pieces[id];
    parts.scores.push_back(piece.score);
    parts.mergeable.push_back(piece.type == Type::Normal || piece.type == Type::UserDefined);
    if (piece.type == Type::UserDefined && !piece.text.empty())
      parts.fixed.insert(piece.text, static_cast<int32_t>(id));
  }
  return make_score_bpe_model(std::move(parts));
}

}  // namespace

std::unique_ptr<Normalizer> make_sentencepiece_normalizer(const SentencePieceSpec& spec, const std::string& what) {
  return std::make_unique<SentencePieceNormalizer>(spec, what);
}

std::unique_ptr<TokenModel> make_sentencepiece_model(const SentencePieceSpec& spec, const std::string& what) {
  return spec.kind == SentencePieceSpec::Kind::Unigram ? make_unigram(spec, what) : make_bpe(spec, what);
}

Pipeline sentencepiece_pipeline(const SentencePieceSpec& spec, const std::string& what) {
  Pipeline stages;
  stages.normalizer = make_sentencepiece_normalizer(spec, what);
  stages.model = make_sentencepiece_model(spec, what);
  stages.decoder = make_sentencepiece_step(spec.add_dummy_prefix ? 1 : 0);
  return stages;
}

}  // namespace cleave::text
