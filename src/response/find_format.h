#pragma once

#include "base/ordered_json.h"
#include "response/response_format.h"
#include "text/chat/chat_format.h"

namespace cleave::response {

/// Finds what answers of a model look like in the model's own chat template, by rendering conversations with and
/// without reasoning and calls of made-up tools and looking at the differences. What is found is tried: a call that
/// does not parse back to itself is not used. Costs some milliseconds; done once for a model. Throws nothing for a
/// template that refuses what it is given: notes say so.
///
/// The method is that of llama.cpp's differential autoparser (its docs/autoparser.md).
ResponseFormat find_response_format(const text::ChatFormat& chat);

/// The same of a model whose tokenizer_config.json is given: what that declares (declared_format.h) comes first. A
/// declaration that cannot be used is a note.
ResponseFormat find_response_format(const text::ChatFormat& chat, const OrderedJson& tokenizer_config);

}  // namespace cleave::response
