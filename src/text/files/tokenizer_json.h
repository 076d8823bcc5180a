#pragma once

#include <memory>
#include <span>
#include <string>

#include "base/json.h"
#include "text/stages/added_tokens.h"
#include "text/tokenizer/tokenizer.h"

namespace cleave::text {

/// Builds the tokenizer that a Hugging Face `tokenizer.json` describes. `more`: tokens that other files add to its own
/// (special_tokens.h). `what` names the file in errors. Throws Error(Unsupported) for a stage of an unknown type,
/// Error(Corrupt) for a file that contradicts itself.
std::unique_ptr<Tokenizer> load_tokenizer_json(const Json& json, const std::string& what,
                                               std::span<const AddedToken> more = {});

}  // namespace cleave::text
