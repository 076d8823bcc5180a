#pragma once

#include <filesystem>

#include "text/files/directory_settings.h"
#include "text/tokenizer/pipeline.h"

namespace cleave::text {

/// GPT-2's files: vocab.json (tokens and ids) and merges.txt (pairs of tokens, best first). The settings say which of
/// its descendants it is.
Pipeline vocab_json_pipeline(const std::filesystem::path& vocab, const std::filesystem::path& merges,
                             const DirectorySettings& settings);

/// BERT's file: a token on each line, whose number, from 0, is its id.
Pipeline vocab_txt_pipeline(const std::filesystem::path& vocab, const DirectorySettings& settings);

}  // namespace cleave::text
