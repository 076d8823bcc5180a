#pragma once

#include "server/api/common_fields.h"

namespace cleave::server::api {

/// POST /v1/chat/completions (https://platform.openai.com/docs/api-reference/chat), with the further fields of vLLM's
/// and llama.cpp's servers. Throws Refusal.
Translation read_chat(const OrderedJson& body, const Context& context);

/// The conversation of such a body alone: for rendering it. Throws Refusal.
Conversation read_conversation(const Field& body);

}  // namespace cleave::server::api
