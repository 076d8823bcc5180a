#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/pipeline.h"

namespace cleave::text {

/// Whether a file looks like a vocabulary of tiktoken, whose lines hold a token in base64, a space and the token's
/// rank.
bool is_tiktoken(std::string_view bytes);

/// The pipeline of a tiktoken vocabulary: a byte-pair encoding of bytes in which ranks are ids. `patterns` split the
/// text, one after the other. Special tokens are not in the file; the caller adds them. `what` names the file in
/// errors. Throws Error(Corrupt).
Pipeline tiktoken_pipeline(std::string_view bytes, const std::vector<std::string>& patterns, const std::string& what);

}  // namespace cleave::text
