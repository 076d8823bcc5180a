#pragma once

#include "server/api/common_fields.h"

namespace cleave::server::api {

/// POST /v1/messages (https://docs.anthropic.com/en/api/messages). Throws Refusal.
Translation read_messages(const OrderedJson& body, const Context& context);

/// The conversation of such a body, which POST /v1/messages/count_tokens has, too, in the form of the chat completions
/// API. Throws Refusal.
Conversation read_anthropic_conversation(const Field& body);

}  // namespace cleave::server::api
