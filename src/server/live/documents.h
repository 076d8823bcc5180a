#pragma once

#include "server/api/generation.h"
#include "server/live/served_model.h"

namespace cleave::server {

// Replies that need the model's files and not its ranks. All but models_document() and tokenizer_document() throw
// api::Refusal, and take time in proportion to the request.

/// GET /v1/models, with the array `models` that Codex reads.
OrderedJson models_document(const ServedModel& model);
/// GET /v1/models/NAME. Throws api::Refusal with status 404.
OrderedJson model_document(const ServedModel& model, const std::string& name);

/// GET /tokenizer_info: {"eos_token", "chat_template"}, null where there is none, as vLLM has it; lm-eval reads both.
OrderedJson tokenizer_document(const ServedModel& model);

/// POST /tokenize: {"prompt": TEXT} or {"content": TEXT} or {"messages": [...]} to {"tokens", "count",
/// "max_model_len"}, as vLLM and llama.cpp have it.
OrderedJson tokenize_document(const OrderedJson& body, const ServedModel& model, int64_t now);
/// POST /detokenize: {"tokens": [...]} to {"prompt": TEXT, "content": TEXT}.
OrderedJson detokenize_document(const OrderedJson& body, const ServedModel& model, int64_t now);
/// POST /apply-template: {"messages": [...]} to {"prompt": TEXT}.
OrderedJson template_document(const OrderedJson& body, const ServedModel& model, int64_t now);

/// POST /v1/messages/count_tokens: a body as /v1/messages has it to {"input_tokens": n}.
OrderedJson count_tokens_document(const OrderedJson& body, const ServedModel& model, int64_t now);

}  // namespace cleave::server
