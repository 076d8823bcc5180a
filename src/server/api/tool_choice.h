#pragma once

#include <string>
#include <vector>

#include "server/api/field.h"
#include "server/api/generation.h"

namespace cleave::server::api {

/// Whether a conversation has a tool of this name.
bool has_tool(const Conversation& conversation, const std::string& name);
/// "auto", "none", "required" or "any". Throws Refusal for what is no such word.
ToolChoice::Mode tool_mode(const Field& choice);
/// Keeps those tools of a conversation that a list names, in the list's order. `name_of` finds the name in an element.
/// Throws Refusal for a name that is none of the tools'.
void keep_tools(Conversation& conversation, const std::vector<Field>& allowed, Field (*name_of)(const Field&));
/// Throws Refusal, which names the place, where a call is forced and there is no tool for it.
void require_tools(const Conversation& conversation, const Field& place);

}  // namespace cleave::server::api
