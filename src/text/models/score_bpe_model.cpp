#include "text/models/score_bpe_model.h"

#include <algorithm>

#include "base/check.h"
#include "base/error.h"
#include "text/models/bpe_merge.h"
#include "text/models/byte_tokens.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// The provisional id of a character that is no token is this number plus its code point, because the character may
// become a part of a token.
constexpr int32_t kCharacter = 0x40000000;
// Limit of the sum of the squares of the tokens' lengths, which is the work of finding all merges. Published
// vocabularies have up to 10^8.
constexpr uint64_t kMaxWork = uint64_t{1} << 30;

class ScoreBpeModel final : public TokenModel {
 public:
  explicit ScoreBpeModel(ScoreBpeParts parts) : parts_(std::move(parts)) {
    CHECK_EQ(parts_.scores.size(), static_cast<size_t>(parts_.vocabulary.id_end()));
    CHECK_LT(parts_.scores.size(), static_cast<size_t>(kCharacter));
    if (parts_.byte_fallback) bytes_ = byte_tokens(parts_.vocabulary);
    find_merges();
  }

  std::unique_ptr<PieceEncoder> start_text() const override;
  std::optional<int32_t> id(std::string_view token) const override { return parts_.vocabulary.id(token); }
  std::optional<std::string_view> token(int32_t id) const override { return parts_.vocabulary.token(id); }
  size_t size() const override { return parts_.scores.size(); }
  int32_t id_end() const override { return parts_.vocabulary.id_end(); }

  /// Appends the ids of a piece; `symbols` is working memory.
  void encode(std::string_view piece, std::vector<int32_t>& symbols, std::vector<int32_t>& ids) const {
    if (parts_.ignore_merges) {
      if (const auto whole = mergeable_id(piece)) return ids.push_back(*whole);
    }
    bool after_unknown = false;
    for (size_t at = 0; at < piece.size();) {
      at = append_symbols(piece, at, symbols);
      merge_all_sharing_ranks(symbols, merges_);
      for (const int32_t symbol : symbols) append_id(symbol, after_unknown, ids);
      if (at >= piece.size()) return;
      const TokenTrie::Match match = parts_.fixed.longest_at(piece, at);
      ids.push_back(match.value);
      after_unknown = false;
      at += match.size;
    }
  }

 private:
  // Sets `symbols` to those of the characters from `at` to the next fixed token, and returns the place of that token.
  size_t append_symbols(std::string_view piece, size_t at, std::vector<int32_t>& symbols) const {
    symbols.clear();
    while (at < piece.size() && !(parts_.fixed.begins(piece[at]) && parts_.fixed.longest_at(piece, at).size > 0)) {
      const unicode::Utf8Char c = unicode::valid_utf8_at(piece, at);
      symbols.push_back(*symbol(piece.substr(at, c.size)));
      at += c.size;
    }
    return at;
  }

  void append_id(int32_t symbol, bool& after_unknown, std::vector<int32_t>& ids) const {
    const bool unknown = symbol >= kCharacter;
    if (!unknown) {
      ids.push_back(symbol);
    } else {
      std::string character;
      unicode::append_utf8(character, static_cast<char32_t>(symbol - kCharacter));
      if (!append_byte_tokens(bytes_, character, ids) && !after_unknown) ids.push_back(unknown_id());
    }
    after_unknown = unknown;
  }

  int32_t unknown_id() const {
    if (!parts_.unknown)
      fail(ErrorKind::Corrupt, "{}: the text needs an unknown token, and there is none", parts_.what);
    return *parts_.unknown;
  }

  std::optional<int32_t> mergeable_id(std::string_view token) const {
    const std::optional<int32_t> id = parts_.vocabulary.id(token);
    return id && parts_.mergeable[*id] ? id : std::nullopt;
  }

  // The id of a token, or the provisional id of a character that is no token.
  std::optional<int32_t> symbol(std::string_view text) const {
    if (const auto id = mergeable_id(text)) return id;
    const unicode::Utf8Char c = unicode::valid_utf8_at(text, 0);
    return c.size == text.size() ? std::optional(kCharacter + static_cast<int32_t>(c.code)) : std::nullopt;
  }

  void find_merges() {
    uint64_t work = 0;
    parts_.vocabulary.for_each([&](std::string_view token, int32_t) { work += uint64_t{token.size()} * token.size(); });
    if (work > kMaxWork) fail(ErrorKind::Unsupported, "{}: has tokens too long to find their parts", parts_.what);
    std::vector<float> ranked = parts_.scores;
    std::sort(ranked.begin(), ranked.end(), std::greater<>());
    ranked.erase(std::unique(ranked.begin(), ranked.end()), ranked.end());
    merges_ = MergeTable(parts_.scores.size() * 3);
    parts_.vocabulary.for_each([&](std::string_view token, int32_t id) {
      if (!parts_.mergeable[id] || !unicode::is_utf8(token)) return;
      const auto rank = std::lower_bound(ranked.begin(), ranked.end(), parts_.scores[id], std::greater<>());
      add_merges(token, {static_cast<uint32_t>(rank - ranked.begin()), id});
    });
  }

  void add_merges(std::string_view token, Merge merge) {
    if (token.empty()) return;
    for (size_t i = unicode::valid_utf8_at(token, 0).size; i < token.size();
         i += unicode::valid_utf8_at(token, i).size) {
      const auto left = symbol(token.substr(0, i));
      const auto right = symbol(token.substr(i));
      if (left && right) merges_.insert(*left, *right, merge);
    }
  }

  ScoreBpeParts parts_;
  MergeTable merges_;
  ByteTokens bytes_;
};

class ScoreBpeEncoder final : public PieceEncoder {
 public:
  explicit ScoreBpeEncoder(const ScoreBpeModel& model) : model_(model) {}
  void encode(std::string_view piece, std::vector<int32_t>& ids) override { model_.encode(piece, symbols_, ids); }

 private:
  const ScoreBpeModel& model_;
  std::vector<int32_t> symbols_;
};

std::unique_ptr<PieceEncoder> ScoreBpeModel::start_text() const {
  return std::make_unique<ScoreBpeEncoder>(*this);
}

}  // namespace

std::unique_ptr<TokenModel> make_score_bpe_model(ScoreBpeParts parts) {
  return std::make_unique<ScoreBpeModel>(std::move(parts));
}

}  // namespace cleave::text
