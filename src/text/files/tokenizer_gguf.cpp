#include "text/files/tokenizer_gguf.h"

#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "text/files/gguf_pre.h"
#include "text/files/sentencepiece.h"
#include "text/models/bpe_model.h"
#include "text/models/word_model.h"
#include "text/tokenizer/pipeline.h"
#include "unicode/classes.h"
#include "unicode/utf8.h"

namespace cleave::text {
namespace {

// Kinds of tokens (ggml-org/ggml, docs/gguf.md, tokenizer.ggml.token_type).
constexpr int32_t kUnknownToken = 2;
constexpr int32_t kControlToken = 3;
constexpr int32_t kUserDefinedToken = 4;

std::unique_ptr<TokenModel> make_model(const GgufVocabulary& gguf, bool ignore_merges, const std::string& what) {
  BpeParts parts;
  parts.what = what;
  parts.ignore_merges = ignore_merges;
  parts.vocabulary.reserve(gguf.tokens.size());
  for (size_t id = 0; id < gguf.tokens.size(); ++id) parts.vocabulary.add(gguf.tokens[id], static_cast<int32_t>(id));
  parts.merges = MergeTable(gguf.merges.size());
  for (size_t i = 0; i < gguf.merges.size(); ++i) {
    const auto place = [&] { return fmt::format("{}: tokenizer.ggml.merges[{}]", what, i); };
    const std::string_view merge = gguf.merges[i];
    const size_t space = merge.find(' ', 1);  // a token may begin with a space
    if (merge.empty() || space == std::string_view::npos)
      fail(ErrorKind::Corrupt, "{}: wanted two tokens with a space between, saw {}", place(), in_quotes(merge));
    add_merge(parts, merge.substr(0, space), merge.substr(space + 1), static_cast<uint32_t>(i), place);
  }
  return make_bpe_model(std::move(parts));
}

AddedTokens make_added_tokens(const GgufVocabulary& gguf) {
  AddedTokens added;
  for (size_t id = 0; id < gguf.token_types.size(); ++id) {
    const int32_t type = gguf.token_types[id];
    if ((type != kControlToken && type != kUserDefinedToken && type != kUnknownToken) || gguf.tokens[id].empty())
      continue;
    AddedToken token;
    token.content = gguf.tokens[id];
    token.normalized = false;
    token.special = type != kUserDefinedToken;
    added.add(std::move(token), static_cast<int32_t>(id), nullptr);
  }
  return added;
}

std::unique_ptr<PreTokenizer> make_pre_tokenizer(const GgufPre& pre, const std::string& what) {
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  for (const std::string& pattern : pre.patterns)
    steps.push_back(make_split(Pattern::regex(pattern, what), SplitBehavior::Isolated, false));
  steps.push_back(make_byte_level(false, false));
  return make_sequence(std::move(steps));
}

// The token that is put before or behind every text; nothing for none. The file asks for it, or the kind of model does
// if the file names the token.
std::vector<int32_t> added_around(std::optional<bool> wanted, bool habit, std::optional<int32_t> id, const char* name,
                                  const std::string& what) {
  if (!wanted.value_or(habit && id)) return {};
  if (!id)
    fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.add_{}_token is true, but there is no tokenizer.ggml.{}_token_id",
         what, name, name);
  return {*id};
}

void check(const GgufVocabulary& gguf, const std::string& what) {
  if (gguf.tokens.empty()) fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.tokens is missing or empty", what);
  if (gguf.tokens.size() > std::numeric_limits<int32_t>::max() / 2)
    fail(ErrorKind::Unsupported, "{}: tokenizer.ggml.tokens has {} entries", what, gguf.tokens.size());
  if (!gguf.token_types.empty() && gguf.token_types.size() != gguf.tokens.size())
    fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.token_type has {} entries, tokenizer.ggml.tokens {}", what,
         gguf.token_types.size(), gguf.tokens.size());
  for (const auto& [id, name] : {std::pair(gguf.bos, "bos"),
                                 {gguf.eos, "eos"},
                                 {gguf.unknown, "unknown"},
                                 {gguf.cls, "cls"},
                                 {gguf.separator, "seperator"}})
    if (id && (*id < 0 || static_cast<size_t>(*id) >= gguf.tokens.size()))
      fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.{}_token_id is {}, but there are {} tokens", what, name, *id,
           gguf.tokens.size());
}

Pipeline gpt2_pipeline(const GgufVocabulary& gguf, const std::string& what) {
  const GgufPre pre = gguf_pre(gguf.pre, what);
  Pipeline stages;
  stages.model = make_model(gguf, pre.ignore_merges, what);
  stages.pre_tokenizer = make_pre_tokenizer(pre, what);
  stages.post_processor = make_template(added_around(gguf.add_bos, pre.add_bos, gguf.bos, "bos", what),
                                        added_around(gguf.add_eos, false, gguf.eos, "eos", what));
  stages.decoder = make_byte_level_step();
  return stages;
}

// The contents of a SentencePiece file, rebuilt. Types of tokens have the numbers that they have in such files.
SentencePieceSpec sentencepiece_spec(const GgufVocabulary& gguf, const std::string& what) {
  if (gguf.scores.size() != gguf.tokens.size())
    fail(ErrorKind::Corrupt, "{}: tokenizer.ggml.scores has {} entries, tokenizer.ggml.tokens {}", what,
         gguf.scores.size(), gguf.tokens.size());
  SentencePieceSpec spec;
  spec.pieces.resize(gguf.tokens.size());
  for (size_t id = 0; id < gguf.tokens.size(); ++id) {
    SentencePieceSpec::Piece& piece = spec.pieces[id];
    piece.text = gguf.tokens[id];
    piece.score = gguf.scores[id];
    const int32_t type = gguf.token_types.empty() ? 1 : gguf.token_types[id];
    if (type >= 1 && type <= 6) piece.type = static_cast<SentencePieceSpec::Type>(type);
    if (!unicode::is_utf8(piece.text) || !(std::abs(piece.score) < 1e30F))
      piece = {"", 0, SentencePieceSpec::Type::Unused};
  }
  spec.byte_fallback = true;
  spec.add_dummy_prefix = gguf.add_space_prefix.value_or(true);
  spec.charsmap = gguf.charsmap;
  return spec;
}

Pipeline llama_pipeline(const GgufVocabulary& gguf, const std::string& what) {
  SentencePieceSpec spec = sentencepiece_spec(gguf, what);
  spec.kind = SentencePieceSpec::Kind::Bpe;
  spec.remove_extra_whitespaces = false;
  Pipeline stages = sentencepiece_pipeline(spec, what);
  stages.post_processor = make_template(added_around(gguf.add_bos, true, gguf.bos, "bos", what),
                                        added_around(gguf.add_eos, false, gguf.eos, "eos", what));
  return stages;
}

Pipeline t5_pipeline(const GgufVocabulary& gguf, const std::string& what) {
  SentencePieceSpec spec = sentencepiece_spec(gguf, what);
  spec.kind = SentencePieceSpec::Kind::Unigram;
  spec.remove_extra_whitespaces = gguf.remove_extra_whitespaces.value_or(true);
  spec.byte_fallback = false;
  Pipeline stages = sentencepiece_pipeline(spec, what);
  stages.post_processor = make_template(added_around(gguf.add_bos, false, gguf.bos, "bos", what),
                                        added_around(gguf.add_eos, true, gguf.eos, "eos", what));
  return stages;
}

// A token of WordPiece in BERT's spelling. A GGUF file puts "▁" before a token that begins a word, and leaves out the
// "##" before a token that continues one.
std::string word_piece_token(std::string_view token) {
  constexpr std::string_view kBeginning = "▁";
  if (token.starts_with(kBeginning)) return std::string(token.substr(kBeginning.size()));
  const bool is_special = token.starts_with('[') && token.ends_with(']');
  return is_special ? std::string(token) : "##" + std::string(token);
}

Pipeline bert_pipeline(const GgufVocabulary& gguf, const std::string& what) {
  WordPieceParts parts;
  parts.what = what;
  parts.max_characters = std::numeric_limits<size_t>::max();
  for (size_t id = 0; id < gguf.tokens.size(); ++id)
    if (unicode::is_utf8(gguf.tokens[id]))
      parts.vocabulary.add(word_piece_token(gguf.tokens[id]), static_cast<int32_t>(id));
  if (gguf.unknown) parts.unknown_token = parts.vocabulary.token(*gguf.unknown).value_or(parts.unknown_token);
  Pipeline stages;
  stages.model = make_word_piece_model(std::move(parts));
  stages.normalizer = make_bert_normalizer({});
  std::vector<std::unique_ptr<PreTokenizer>> steps;
  steps.push_back(make_split(unicode::is_whitespace, SplitBehavior::Removed));
  steps.push_back(make_split(unicode::is_punctuation, SplitBehavior::Isolated));
  stages.pre_tokenizer = make_sequence(std::move(steps));
  stages.post_processor =
      make_template(added_around(gguf.add_bos, true, gguf.cls ? gguf.cls : gguf.bos, "bos", what),
                    added_around(gguf.add_eos, true, gguf.separator ? gguf.separator : gguf.eos, "eos", what));
  stages.decoder = make_word_piece_step("##", true);
  return stages;
}

Pipeline make_stages(const GgufVocabulary& gguf, const std::string& what) {
  if (gguf.model == "gpt2") return gpt2_pipeline(gguf, what);
  if (gguf.model == "llama") return llama_pipeline(gguf, what);
  if (gguf.model == "bert") return bert_pipeline(gguf, what);
  if (gguf.model == "t5") return t5_pipeline(gguf, what);
  fail(ErrorKind::Unsupported,
       "{}: a tokenizer of kind {} (tokenizer.ggml.model) is not read; gpt2, llama, bert and t5 are", what,
       in_quotes(gguf.model));
}

}  // namespace

std::unique_ptr<Tokenizer> tokenizer_from_gguf(const GgufVocabulary& vocabulary, const std::string& what) {
  check(vocabulary, what);
  Pipeline stages = make_stages(vocabulary, what);
  stages.added = make_added_tokens(vocabulary);
  return make_pipeline_tokenizer(std::move(stages));
}

}  // namespace cleave::text
