#pragma once

#include "server/api/field.h"
#include "server/api/generation.h"

namespace cleave::server::api {

/// The messages of a response's `input`, a text or a list of items, in the form of the chat completions API. Items that
/// belong to one answer (reasoning, text, calls) become one message. Kinds of items that only OpenAI's own machines
/// make are left out. Throws Refusal.
OrderedJson messages_of_input(const Field& body);

/// The tools of a response's request in the form of the chat completions API. A namespace gives its functions, a custom
/// tool a function with one text, `input`; tools that OpenAI's own machines would run are left out.
OrderedJson tools_of_response(const Field& body);

/// How calls of such tools are told: by the name that the model sees.
struct ResponseTool {
  std::string name = {};   // that the client knows
  std::string space = {};  // its namespace; "" for none
  bool is_custom = false;
};
std::map<std::string, ResponseTool> response_tools(const Field& body);

}  // namespace cleave::server::api
