#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer/pipeline.h"

namespace cleave::text {

/// Whether a file looks like a vocabulary of tiktoken: lines of a token in base64, a space and its rank.
bool is_tiktoken(std::string_view bytes);

/// A byte-pair encoding of bytes from such a file, whose ranks are ids. `patterns` split the text (pre_tokenizer.h);
/// special tokens are not in the file and are left to the caller. Throws Error(Corrupt).
Pipeline tiktoken_pipeline(std::string_view bytes, const std::vector<std::string>& patterns, const std::string& what);

}  // namespace cleave::text
