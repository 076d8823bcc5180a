#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json_field.h"
#include "text/models/merge_table.h"
#include "text/models/token_model.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// The parts of a byte-pair encoding.
struct BpeParts {
  Vocabulary vocabulary;
  MergeTable merges;
  std::string unknown_token;   // stands for a character that the vocabulary lacks; if empty, the character vanishes
  bool fuse_unknown = false;   // several unknown characters in a row become one unknown token
  bool ignore_merges = false;  // a piece that is a token becomes that token, whatever the merges say
  bool byte_fallback = false;  // characters that the vocabulary lacks become the tokens of their bytes ("<0xE2>")
  std::string prefix;          // the vocabulary writes it before each character of a piece but the first ("##")
  std::string suffix;          // the vocabulary writes it behind the last character of a piece ("</w>")
  std::string what;            // names the file in errors
};

/// Adds the merge of two tokens to `parts`. The merged token is `left` followed by `right` without its prefix. Throws
/// Error(Corrupt) if the vocabulary lacks one of the three; `place` gives the name of the merge for the message.
void add_merge(BpeParts& parts, std::string_view left, std::string_view right, uint32_t rank,
               const std::function<std::string()>& place);

/// A byte-pair encoding that begins with the characters of a piece.
std::unique_ptr<TokenModel> make_bpe_model(BpeParts parts);

/// Reads the `model` of a tokenizer.json whose type is BPE; its dropout, which is for training, is ignored. Throws
/// Error(Corrupt) for lists that contradict one another.
std::unique_ptr<TokenModel> read_bpe_model(const JsonField& field);

}  // namespace cleave::text
