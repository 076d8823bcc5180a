#pragma once

#include <filesystem>

#include "text/files/directory_settings.h"
#include "text/tokenizer/pipeline.h"

namespace cleave::text {

/// The pipeline of GPT-2's files: vocab.json (tokens and ids) and merges.txt (pairs of tokens, best first). The
/// settings tell which descendant of GPT-2 it is. Throws Error(Corrupt).
Pipeline vocab_json_pipeline(const std::filesystem::path& vocab, const std::filesystem::path& merges,
                             const DirectorySettings& settings);

/// The pipeline of BERT's file, which has a token on each line; the number of the line, from 0, is the token's id.
/// Throws Error(Corrupt).
Pipeline vocab_txt_pipeline(const std::filesystem::path& vocab, const DirectorySettings& settings);

}  // namespace cleave::text
