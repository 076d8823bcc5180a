#pragma once

#include "server/api/common_fields.h"

namespace cleave::server::api {

/// POST /v1/completions (https://platform.openai.com/docs/api-reference/completions): prompts are a text, several, a
/// list of ids, or several. Throws Refusal.
Translation read_completions(const OrderedJson& body, const Context& context);

/// The prompts in a field, in all four forms.
std::vector<PlainPrompt> read_prompts(const Field& field);

}  // namespace cleave::server::api
