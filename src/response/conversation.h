#pragma once

#include <string>

#include "response/message_traits.h"
#include "text/chat/chat_format.h"

namespace cleave::response {

/// The prompt of a conversation that a client of a chat API sent. `request` is as ChatFormat::render() takes it, but
/// its messages are those of the API (messages.h says what becomes of them); tools, documents and variables
/// ("enable_thinking", a client's chat_template_kwargs) go to the template as they are.
///
/// Where the template refuses the order of the messages or leaves a system message out, the conversation is told in an
/// order that every template takes, the least changed first: all system messages in one at the head; then neighbours of
/// the same role in one message; then the system message at the head of the first user's.
///
/// Throws Error(InvalidArgument): for messages that are none, with their place; for a conversation that the template
/// refuses all the same, with the template's own message about the first attempt. Thread-safe.
std::string render_conversation(const text::ChatFormat& format, const text::ChatRequest& request,
                                const MessageTraits& traits);

}  // namespace cleave::response
