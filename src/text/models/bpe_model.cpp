#include "text/models/bpe_model.h"

#include <array>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/models/bpe_merge.h"
#include "text/models/byte_tokens.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// The ids of characters below this one are in an array. They include the byte-level alphabet, of which most text is
// made.
constexpr char32_t kDirectCharacters = 0x180;
constexpr int32_t kUnknown = -1;

// Limit of what the encoder of a text remembers: enough for the words of a book, and bounded for texts that never
// repeat themselves.
constexpr size_t kRememberedPieces = 1 << 16;
constexpr size_t kRememberedLength = 128;  // bytes of a piece

struct PieceHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

class BpeModel final : public TokenModel {
 public:
  explicit BpeModel(BpeParts parts) : parts_(std::move(parts)), affixes_(parts_.prefix.size() + parts_.suffix.size()) {
    for (char32_t c = 0; c < kDirectCharacters; ++c) {
      std::string token;
      unicode::append_utf8(token, c);
      characters_[c] = parts_.vocabulary.id(token).value_or(kUnknown);
    }
    if (!parts_.unknown_token.empty()) unknown_ = parts_.vocabulary.id(parts_.unknown_token);
    if (parts_.byte_fallback) bytes_ = byte_tokens(parts_.vocabulary);
  }

  std::unique_ptr<PieceEncoder> start_text() const override;
  std::optional<int32_t> id(std::string_view token) const override { return parts_.vocabulary.id(token); }
  std::optional<std::string_view> token(int32_t id) const override { return parts_.vocabulary.token(id); }
  size_t size() const override { return parts_.vocabulary.size(); }
  int32_t id_end() const override { return parts_.vocabulary.id_end(); }

  /// Replaces `ids` by those of the piece.
  void encode(std::string_view piece, std::vector<int32_t>& ids) const {
    ids.clear();
    if (parts_.ignore_merges) {
      if (const std::optional<int32_t> whole = parts_.vocabulary.id(piece)) {
        ids.push_back(*whole);
        return;
      }
    }
    append_characters(piece, ids);
    merge_all(ids, parts_.merges);
  }

 private:
  // As in the library, an unknown token waits until a known character or the end comes, so that several can become one.
  // Byte tokens do not wait and so come before it.
  void append_characters(std::string_view piece, std::vector<int32_t>& ids) const {
    bool unknown_waits = false;
    const auto flush = [&] {
      if (unknown_waits) ids.push_back(unknown_id());
      unknown_waits = false;
    };
    for (size_t i = 0; i < piece.size();) {
      const unicode::Utf8Char c = unicode::valid_utf8_at(piece, i);
      const int32_t id = affixes_ == 0 && c.code < kDirectCharacters ? characters_[c.code] : look_up(piece, i, c.size);
      if (id != kUnknown) {
        flush();
        ids.push_back(id);
      } else if (!append_byte_tokens(bytes_, written(piece, i, c.size), ids) && !parts_.unknown_token.empty()) {
        if (!parts_.fuse_unknown) flush();
        unknown_waits = true;
      }
      i += c.size;
    }
    flush();
  }

  // A character with the prefix and suffix that the vocabulary writes around it at this place of the piece.
  std::string written(std::string_view piece, size_t at, size_t size) const {
    std::string token(at > 0 ? parts_.prefix : "");
    token.append(piece.substr(at, size));
    return at + size == piece.size() ? token + parts_.suffix : token;
  }

  int32_t look_up(std::string_view piece, size_t at, size_t size) const {
    const auto id =
        affixes_ == 0 ? parts_.vocabulary.id(piece.substr(at, size)) : parts_.vocabulary.id(written(piece, at, size));
    return id.value_or(kUnknown);
  }

  int32_t unknown_id() const {
    if (!unknown_)
      fail(ErrorKind::Corrupt, "{}: the text needs the unknown token {}, which is not in the vocabulary", parts_.what,
           in_quotes(parts_.unknown_token));
    return *unknown_;
  }

  BpeParts parts_;
  size_t affixes_;                                       // length of prefix and suffix together
  std::array<int32_t, kDirectCharacters> characters_{};  // [code point]
  ByteTokens bytes_{};
  std::optional<int32_t> unknown_;
};

class BpeEncoder final : public PieceEncoder {
 public:
  explicit BpeEncoder(const BpeModel& model) : model_(model) {}

  void encode(std::string_view piece, std::vector<int32_t>& ids) override {
    if (const auto found = remembered_.find(piece); found != remembered_.end()) {
      const auto [begin, count] = found->second;
      ids.insert(ids.end(), pool_.begin() + begin, pool_.begin() + begin + count);
      return;
    }
    model_.encode(piece, scratch_);
    ids.insert(ids.end(), scratch_.begin(), scratch_.end());
    if (piece.size() > kRememberedLength || remembered_.size() >= kRememberedPieces) return;
    remembered_.emplace(piece, std::pair(static_cast<uint32_t>(pool_.size()), static_cast<uint32_t>(scratch_.size())));
    pool_.insert(pool_.end(), scratch_.begin(), scratch_.end());
  }

 private:
  const BpeModel& model_;
  std::vector<int32_t> scratch_;
  std::vector<int32_t> pool_;  // ids of the remembered pieces, one after the other
  std::unordered_map<std::string, std::pair<uint32_t, uint32_t>, PieceHash, std::equal_to<>> remembered_;
};

std::unique_ptr<PieceEncoder> BpeModel::start_text() const {
  return std::make_unique<BpeEncoder>(*this);
}

}  // namespace

void add_merge(BpeParts& parts, std::string_view left, std::string_view right, uint32_t rank,
               const std::function<std::string()>& place) {
  const auto id_of = [&](std::string_view token) {
    const std::optional<int32_t> id = parts.vocabulary.id(token);
    if (!id) fail(ErrorKind::Corrupt, "{}: the vocabulary has no token {}", place(), in_quotes(token));
    return *id;
  };
  if (left.empty() || right.empty()) fail(ErrorKind::Corrupt, "{}: a merge of an empty token", place());
  const int32_t left_id = id_of(left);
  const int32_t right_id = id_of(right);
  if (!parts.prefix.empty() && right.starts_with(parts.prefix)) right.remove_prefix(parts.prefix.size());
  parts.merges.insert(left_id, right_id, {rank, id_of(std::string(left).append(right))});
}

std::unique_ptr<TokenModel> make_bpe_model(BpeParts parts) {
  return std::make_unique<BpeModel>(std::move(parts));
}

}  // namespace cleave::text
