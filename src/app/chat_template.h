#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cleave::app {

/// Whether the text of a model's chat template (Jinja) writes turns as ChatML does.
bool is_chatml(std::string_view chat_template);

/// The system message that a ChatML template puts before a conversation without one, where it can be told without
/// interpreting the template: a complete system turn that stands in it as a literal, the same in all places; ""
/// otherwise.
std::string default_system_message(std::string_view chat_template);

}  // namespace cleave::app
