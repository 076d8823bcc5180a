#pragma once

#include "base/json_field.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// Reads an object of tokens and their ids, as a tokenizer.json and a vocab.json hold it. Throws Error(Corrupt).
Vocabulary read_vocabulary(const JsonField& field);

}  // namespace cleave::text
