#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json_field.h"
#include "text/models/merge_table.h"
#include "text/models/token_model.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// What a byte-pair encoding is made of.
struct BpeParts {
  Vocabulary vocabulary;
  MergeTable merges;
  std::string unknown_token;   // stands for characters that the vocabulary lacks; where empty, they vanish
  bool fuse_unknown = false;   // one unknown token for several such characters in a row
  bool ignore_merges = false;  // a piece that is a token is that token, whatever the merges say
  bool byte_fallback = false;  // characters that the vocabulary lacks become the tokens of their bytes ("<0xE2>")
  std::string prefix;          // put before every character of a piece but the first ("##")
  std::string suffix;          // put behind its last character ("</w>")
  std::string what;            // names the file in errors
};

/// Adds the merge of two tokens, whose prefix (BpeParts) is left out where it comes between them. Throws
/// Error(Corrupt), calling the merge what `place` gives, where the vocabulary lacks either or what they form.
void add_merge(BpeParts& parts, std::string_view left, std::string_view right, uint32_t rank,
               const std::function<std::string()>& place);

/// Byte-pair encoding of the characters of a piece.
std::unique_ptr<TokenModel> make_bpe_model(BpeParts parts);

/// Reads the `model` of a tokenizer.json whose type is BPE; its dropout, which is for training, is ignored. Throws
/// Error(Corrupt) for lists that contradict one another.
std::unique_ptr<TokenModel> read_bpe_model(const JsonField& field);

}  // namespace cleave::text
