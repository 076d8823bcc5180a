#pragma once

#include <filesystem>
#include <memory>

#include "text/tokenizer/tokenizer.h"

namespace cleave::text {

/// The tokenizer of a Hugging Face directory: tokenizer.json where there is one; otherwise tokenizer.model or
/// spiece.model (SentencePiece, or tiktoken as Llama 3's authors publish it), *.tiktoken, vocab.json with merges.txt,
/// or vocab.txt, with the settings and added tokens of tokenizer_config.json and added_tokens.json.
///
/// Or that of a file alone: a tokenizer.json, a SentencePiece model, a tiktoken vocabulary, a vocab.txt or vocab.json;
/// then without a directory's settings. A GGUF file is opened by its own reader (tokenizer_from_gguf).
///
/// Throws Error(NotFound) where there is none of them, Unsupported for a kind that is not known, Corrupt.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);

}  // namespace cleave::text
