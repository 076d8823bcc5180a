#include "text/models/word_model.h"

#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/models/token_trie.h"
#include "text/models/vocabulary_json.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// The common part of WordPiece and WordLevel: a vocabulary, and a token for words that cannot be made of it.
class WordModel : public TokenModel {
 public:
  WordModel(Vocabulary vocabulary, std::string unknown_token, std::string what)
      : vocabulary_(std::move(vocabulary)), unknown_token_(std::move(unknown_token)), what_(std::move(what)) {}

  std::unique_ptr<PieceEncoder> start_text() const override { return std::make_unique<Encoder>(*this); }
  std::optional<int32_t> id(std::string_view token) const override { return vocabulary_.id(token); }
  std::optional<std::string_view> token(int32_t id) const override { return vocabulary_.token(id); }
  size_t size() const override { return vocabulary_.size(); }
  int32_t id_end() const override { return vocabulary_.id_end(); }

 protected:
  virtual void encode(std::string_view word, std::vector<int32_t>& ids) const = 0;

  int32_t unknown_id() const {
    const std::optional<int32_t> id = vocabulary_.id(unknown_token_);
    if (!id)
      fail(ErrorKind::Corrupt, "{}: the text needs the unknown token {}, which is not in the vocabulary", what_,
           in_quotes(unknown_token_));
    return *id;
  }

  template <class Visit>
  void for_each_token(Visit&& visit) const {
    vocabulary_.for_each(visit);
  }

 private:
  class Encoder final : public PieceEncoder {
   public:
    explicit Encoder(const WordModel& model) : model_(model) {}
    void encode(std::string_view piece, std::vector<int32_t>& ids) override { model_.encode(piece, ids); }

   private:
    const WordModel& model_;
  };

  Vocabulary vocabulary_;
  std::string unknown_token_;
  std::string what_;
};

class WordLevelModel final : public WordModel {
 public:
  using WordModel::WordModel;

 protected:
  void encode(std::string_view word, std::vector<int32_t>& ids) const override {
    const std::optional<int32_t> whole = id(word);
    ids.push_back(whole ? *whole : unknown_id());
  }
};

class WordPieceModel final : public WordModel {
 public:
  explicit WordPieceModel(WordPieceParts parts)
      : WordModel(std::move(parts.vocabulary), std::move(parts.unknown_token), std::move(parts.what)),
        max_characters_(parts.max_characters) {
    for_each_token([&](std::string_view token, int32_t id) {
      if (!token.empty()) begins_.insert(token, id);
      if (token.starts_with(parts.prefix) && token.size() > parts.prefix.size())
        goes_on_.insert(token.substr(parts.prefix.size()), id);
    });
  }

 protected:
  void encode(std::string_view word, std::vector<int32_t>& ids) const override {
    const size_t first = ids.size();
    bool known = count_characters(word) <= max_characters_;
    for (size_t at = 0; known && at < word.size();) {
      const TokenTrie::Match match = (at == 0 ? begins_ : goes_on_).longest_at(word, at);
      known = match.size > 0;
      at += match.size;
      ids.push_back(match.value);
    }
    if (known) return;
    ids.resize(first);
    ids.push_back(unknown_id());
  }

 private:
  static size_t count_characters(std::string_view word) {
    size_t count = 0;
    for (size_t i = 0; i < word.size(); i += unicode::valid_utf8_at(word, i).size) ++count;
    return count;
  }

  size_t max_characters_;
  TokenTrie begins_;   // whole tokens
  TokenTrie goes_on_;  // tokens that have the prefix, without the prefix
};

}  // namespace

std::unique_ptr<TokenModel> make_word_piece_model(WordPieceParts parts) {
  return std::make_unique<WordPieceModel>(std::move(parts));
}

std::unique_ptr<TokenModel> read_word_piece_model(const JsonField& field) {
  WordPieceParts parts;
  parts.what = field.path();
  parts.vocabulary = read_vocabulary(field.at("vocab"));
  parts.unknown_token = field.string_or("unk_token", parts.unknown_token);
  parts.prefix = field.string_or("continuing_subword_prefix", parts.prefix);
  if (const auto max = field.find("max_input_chars_per_word")) parts.max_characters = max->count();
  return make_word_piece_model(std::move(parts));
}

std::unique_ptr<TokenModel> read_word_level_model(const JsonField& field) {
  return std::make_unique<WordLevelModel>(read_vocabulary(field.at("vocab")), field.string_or("unk_token", "<unk>"),
                                          field.path());
}

}  // namespace cleave::text
