#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/tokenizer.h"

namespace cleave::text {

/// The `tokenizer.ggml.*` metadata of a GGUF file. The views must live until the tokenizer is built, and no longer.
struct GgufVocabulary {
  std::string model;  // tokenizer.ggml.model: "gpt2", "llama", "bert" ...
  std::string pre;    // tokenizer.ggml.pre: a name for the patterns that split the text; "" if absent
  std::vector<std::string_view> tokens;  // [n]
  std::vector<std::string_view> merges;  // "left right", best first
  std::vector<int32_t> token_types;  // [n] or empty; 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
  std::vector<float> scores;         // [n] or empty; used by the kinds without merges
  std::optional<int32_t> bos;        // bos_token_id
  std::optional<int32_t> eos;        // eos_token_id
  std::optional<int32_t> unknown;    // unknown_token_id
  std::optional<int32_t> cls;        // cls_token_id: BERT's, instead of bos
  std::optional<int32_t> separator;  // seperator_token_id: BERT's, instead of eos
  std::optional<bool> add_bos;       // add_bos_token; if absent, the model decides
  std::optional<bool> add_eos;       // add_eos_token
  std::optional<bool> add_space_prefix;          // add_space_prefix
  std::optional<bool> remove_extra_whitespaces;  // remove_extra_whitespaces
  std::string charsmap;                          // precompiled_charsmap
};

/// Builds the tokenizer of a GGUF file: model "gpt2" with the `pre` names of gguf_pre.h, "llama", "bert" or "t5".
/// `what` names the file in errors. Throws Error(Unsupported) for another model or an unknown `pre`, Error(Corrupt) for
/// lists that do not fit together.
std::unique_ptr<Tokenizer> tokenizer_from_gguf(const GgufVocabulary& vocabulary, const std::string& what);

}  // namespace cleave::text
