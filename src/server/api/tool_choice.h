#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/api/field.h"
#include "server/api/generation.h"

namespace cleave::server::api {

/// "auto", "none", "required" or "any". Throws Refusal for what is no such word.
ToolChoice::Mode tool_mode(const Field& choice);
/// Keeps those tools of a conversation that a list names, in the list's order. `name_of` finds the name in an element,
/// or nothing where that is to be skipped. Throws Refusal for a name that is none of the tools'.
void keep_tools(Conversation& conversation, const std::vector<Field>& allowed,
                std::optional<Field> (*name_of)(const Field&));
/// Throws Refusal, which names the place, where a call is forced and there is no tool for it.
void require_tools(const Conversation& conversation, const Field& place);

}  // namespace cleave::server::api
