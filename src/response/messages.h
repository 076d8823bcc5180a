#pragma once

#include <string>

#include "base/ordered_json.h"
#include "response/message_traits.h"

namespace cleave::response {

/// Messages of a chat API as a chat template wants them. Clients write them as OpenAI's API has them, and templates
/// were written for Transformers, which differs:
/// - `content` that is null or a list of texts becomes a string (or what the traits say); `refusal` counts as content;
/// - `arguments` of tool calls, JSON in a string, become objects; `function_call` becomes a tool call;
/// - `reasoning_content`, `reasoning` or `thinking` gets the name that the template reads;
/// - role `developer` becomes `system`, role `function` becomes `tool`; a tool's message gets the name of its call.
/// Members that are not known stay, because a template may read them.
///
/// Throws Error(InvalidArgument) that names the place ("messages[2].content[0]: ...") for what is no conversation and
/// for parts that are no text.
OrderedJson template_messages(const OrderedJson& messages, const MessageTraits& traits);

/// An id of nine letters and digits that stands for another; one that has this form stands for itself.
std::string short_id(const std::string& id);

}  // namespace cleave::response
