#pragma once

#include "base/json_field.h"
#include "text/models/vocabulary.h"

namespace cleave::text {

/// Reads the vocabulary of a tokenizer.json or a vocab.json, an object of tokens and their ids. Throws Error(Corrupt).
Vocabulary read_vocabulary(const JsonField& field);

}  // namespace cleave::text
