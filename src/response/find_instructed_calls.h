#pragma once

#include "response/probe.h"
#include "response/response_format.h"

namespace cleave::response {

/// Calls as the instructions show them that a prompt has where there are tools: an object with a name and arguments
/// between a tag and its closing tag, <tool_call>{"name": ..., "arguments": ...}</tool_call>. For templates that write
/// no calls themselves. Kind None where there is no such example.
CallSyntax find_instructed_calls(const Probe& probe);

}  // namespace cleave::response
