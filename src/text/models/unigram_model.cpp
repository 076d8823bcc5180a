#include "text/models/unigram_model.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "base/error.h"
#include "text/models/byte_tokens.h"
#include "text/models/token_id.h"
#include "text/models/token_trie.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

constexpr uint32_t kNowhere = std::numeric_limits<uint32_t>::max();

// The most probable segmentation up to a place in the text: its last token, and the place where that token begins.
struct Step {
  double score = 0;
  uint32_t from = kNowhere;
  int32_t id = -1;
};

class UnigramModel final : public TokenModel {
 public:
  explicit UnigramModel(UnigramParts parts) : parts_(std::move(parts)) {
    CHECK_EQ(parts_.scores.size(), static_cast<size_t>(parts_.vocabulary.id_end()));
    for (int32_t id = 0; id < parts_.vocabulary.id_end(); ++id) {
      const auto token = parts_.vocabulary.token(id);
      const bool hidden = !parts_.hidden.empty() && parts_.hidden[id];
      // Of tokens written alike, the one counts that the vocabulary finds.
      if (token && !token->empty() && !hidden) trie_.insert(*token, *parts_.vocabulary.id(*token));
    }
    if (parts_.byte_fallback) bytes_ = byte_tokens(parts_.vocabulary);
  }

  std::unique_ptr<PieceEncoder> start_text() const override;
  std::optional<int32_t> id(std::string_view token) const override { return parts_.vocabulary.id(token); }
  std::optional<std::string_view> token(int32_t id) const override { return parts_.vocabulary.token(id); }
  size_t size() const override { return parts_.scores.size(); }
  int32_t id_end() const override { return parts_.vocabulary.id_end(); }

  /// Appends the ids of a piece; `steps` is working memory.
  void encode(std::string_view piece, std::vector<Step>& steps, std::vector<int32_t>& ids) const {
    steps.assign(piece.size() + 1, Step{});
    for (size_t at = 0; at < piece.size();) {
      const size_t size = unicode::valid_utf8_at(piece, at).size;
      extend(piece, at, size, steps);
      at += size;
    }
    append_path(piece, steps, ids);
  }

 private:
  void extend(std::string_view piece, size_t at, size_t character, std::vector<Step>& steps) const {
    const auto reach = [&](size_t size, int32_t id, double score) {
      Step& step = steps[at + size];
      double sum = steps[at].score + score;
      if (parts_.single_precision) sum = static_cast<float>(sum);
      if (step.from != kNowhere && sum <= step.score) return;
      step = {sum, static_cast<uint32_t>(at), id};
    };
    bool has_character = false;
    trie_.for_each_at(piece, at, [&](int32_t id, size_t size) {
      reach(size, id, parts_.scores[id]);
      has_character = has_character || size == character;
    });
    if (!has_character) reach(character, kUnknown, parts_.unknown_score);
  }

  // The tokens from the end to the beginning. Unknown characters in a row are one token.
  void append_path(std::string_view piece, const std::vector<Step>& steps, std::vector<int32_t>& ids) const {
    const size_t first = ids.size();
    for (size_t end = piece.size(); end > 0;) {
      size_t begin = steps[end].from;
      if (const int32_t id = steps[end].id; !is_unknown(id)) {
        ids.push_back(id);
      } else {
        while (begin > 0 && is_unknown(steps[begin].id)) begin = steps[begin].from;
        append_unknown(piece.substr(begin, end - begin), ids);
      }
      end = begin;
    }
    std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
  }

  bool is_unknown(int32_t id) const { return id == kUnknown || (parts_.unknown && id == *parts_.unknown); }

  // Appends the tokens for a text that belongs to no token, in reverse order like the path.
  void append_unknown(std::string_view text, std::vector<int32_t>& ids) const {
    const size_t first = ids.size();
    if (const auto id = parts_.vocabulary.id(text); id && !parts_.single_precision) {
      ids.push_back(*id);
    } else if (append_byte_tokens(bytes_, text, ids)) {
      std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
    } else if (parts_.unknown) {
      ids.push_back(*parts_.unknown);
    } else {
      fail(ErrorKind::Corrupt, "{}: the text needs an unknown token (unk_id), and there is none", parts_.what);
    }
  }

  static constexpr int32_t kUnknown = -1;
  UnigramParts parts_;
  TokenTrie trie_;
  ByteTokens bytes_;
};

class UnigramEncoder final : public PieceEncoder {
 public:
  explicit UnigramEncoder(const UnigramModel& model) : model_(model) {}
  void encode(std::string_view piece, std::vector<int32_t>& ids) override { model_.encode(piece, steps_, ids); }

 private:
  const UnigramModel& model_;
  std::vector<Step> steps_;
};

std::unique_ptr<PieceEncoder> UnigramModel::start_text() const {
  return std::make_unique<UnigramEncoder>(*this);
}

// Reads [["▁the", -3.2], ...].
void read_scores(const JsonField& field, UnigramParts& parts) {
  const Json& list = field.array();
  parts.vocabulary.reserve(list.size());
  if (list.size() > std::numeric_limits<int32_t>::max() / 2) field.wrong("fewer tokens");
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& entry = list[i];
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
      field.at(i).wrong("a token and its score");
    parts.vocabulary.add(entry[0].get_ref<const std::string&>(), static_cast<int32_t>(i));
    parts.scores.push_back(entry[1].get<double>());
  }
}

}  // namespace

std::unique_ptr<TokenModel> make_unigram_model(UnigramParts parts) {
  return std::make_unique<UnigramModel>(std::move(parts));
}

std::unique_ptr<TokenModel> read_unigram_model(const JsonField& field) {
  constexpr double kUnknownPenalty = 10;  // distance of unknown characters from the least probable token
  UnigramParts parts;
  parts.what = field.path();
  read_scores(field.at("vocab"), parts);
  parts.byte_fallback = field.boolean_or("byte_fallback", false);
  if (const auto unknown = field.find("unk_id")) {
    parts.unknown = read_token_id(*unknown);
    if (static_cast<size_t>(*parts.unknown) >= parts.scores.size())
      unknown->wrong("the id of a token of the vocabulary");
  }
  const auto least = std::min_element(parts.scores.begin(), parts.scores.end());
  parts.unknown_score = (least == parts.scores.end() ? 0 : *least) - kUnknownPenalty;
  return make_unigram_model(std::move(parts));
}

}  // namespace cleave::text
