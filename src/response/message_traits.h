#pragma once

#include <string>

namespace cleave::response {

/// How a chat template wants those parts of a message that templates do not agree on. find_message_traits() tells it of
/// a template; the defaults are what most templates want.
struct MessageTraits {
  bool arguments_are_objects = true;  // of past tool calls; otherwise they are JSON in a string
  bool content_is_parts = false;      // [{"type": "text", "text": ...}]; otherwise a string
  bool call_content_is_null = false;  // what a message of tool calls alone has for its content; otherwise ""
  bool ids_are_short = false;         // ids of tool calls must be nine letters or digits, as Mistral's are
  /// The member of a message that holds its reasoning ("reasoning_content", "thinking", "reasoning"); "" where the
  /// template writes none.
  std::string reasoning_key = "reasoning_content";
  bool reasoning_is_part = false;  // reasoning stands in the content, as {"type": "thinking", "thinking": ...}
};

}  // namespace cleave::response
