#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cleave::text {

/// Text to token ids and back. Immutable and thread-safe: one object serves every request of a process.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Ids of `text`. Added tokens written in the text ("<|im_end|>") become their own ids. `add_special_tokens` adds
  /// what the tokenizer's post-processor puts around a text (a beginning-of-text token, for example). Bytes that are
  /// not UTF-8 count as U+FFFD. Throws Error(InvalidArgument) for a text that the tokenizer's own patterns cannot split
  /// within bounds.
  virtual std::vector<int32_t> encode(std::string_view text, bool add_special_tokens) const = 0;

  /// Text of `ids`, with U+FFFD for bytes that form no character. Ids outside the vocabulary add nothing.
  virtual std::string decode(std::span<const int32_t> ids, bool skip_special_tokens) const = 0;

  /// The bytes that the token adds to the text, possibly a part of a character: what streaming is made of
  /// (detokenizer.h).
  /// "" for an id outside the vocabulary. A special token gives its text.
  virtual std::string token_bytes(int32_t id) const = 0;

  /// Whether decode leaves the token out on request: control tokens such as "<|im_end|>".
  virtual bool is_special(int32_t id) const = 0;

  /// Id of a whole token as the vocabulary writes it, e.g. "<|im_end|>".
  virtual std::optional<int32_t> token_id(std::string_view token) const = 0;

  /// Largest id + 1; ids between may be unused.
  virtual int32_t vocab_size() const = 0;
};

/// Builds the pipeline that a Hugging Face `tokenizer.json` describes. `what` names the file in errors. Throws
/// Error(Unsupported) naming a kind that is not read, Error(Corrupt) for a file that contradicts itself.
std::unique_ptr<Tokenizer> load_tokenizer_json(const Json& json, const std::string& what);

/// The `tokenizer.ggml.*` metadata of a GGUF file. The views need to live only until the tokenizer is built.
struct GgufVocabulary {
  std::string model;  // tokenizer.ggml.model: "gpt2", "llama", "bert" ...
  std::string pre;    // tokenizer.ggml.pre: which patterns split the text; "" where the file has none
  std::vector<std::string_view> tokens;  // [n]
  std::vector<std::string_view> merges;  // "left right", best first
  std::vector<int32_t> token_types;  // [n] or empty; 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte
  std::vector<float> scores;         // [n] or empty; used by the kinds without merges
  std::optional<int32_t> bos;        // bos_token_id
  std::optional<int32_t> eos;        // eos_token_id
  std::optional<int32_t> unknown;    // unknown_token_id
  std::optional<int32_t> cls;        // cls_token_id: BERT's, instead of bos
  std::optional<int32_t> separator;  // seperator_token_id: BERT's, instead of eos
  std::optional<bool> add_bos;       // add_bos_token; where absent, the kind's habit holds
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
