#pragma once

#include <filesystem>
#include <memory>

#include "text/tokenizer/tokenizer.h"

namespace cleave::text {

/// The tokenizer of a Hugging Face directory or of a single file.
///
/// In a directory the first of these counts: tokenizer.json; tokenizer.model or spiece.model (SentencePiece, or
/// tiktoken's format as Llama 3's authors publish it); *.tiktoken; vocab.json with merges.txt; vocab.txt. All but
/// tokenizer.json are completed by the directory's settings and added tokens (DirectorySettings). A single file of one
/// of these kinds is read without such settings. GGUF files have a reader of their own (tokenizer_from_gguf).
///
/// Throws Error(NotFound) if there is no such file, Error(Unsupported) for an unknown kind, Error(Corrupt).
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& path);

}  // namespace cleave::text
