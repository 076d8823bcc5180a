#pragma once

#include <string>

#include "app/chat/conversation.h"

namespace cleave::app {

/// What a line of a chat leads to.
enum class LineResult {
  Nothing,  // it is done
  Answer,   // an answer is queued (Conversation::answer())
  End,      // of the conversation
};

/// Does what a line says: a command where it begins with a slash (`//` stands for a slash that begins a message), and
/// otherwise a message. Notes for the person go to standard error. Throws Error(InvalidArgument), and changes nothing,
/// for a command that is not known and for what Conversation::ask() refuses; Io where a file cannot be written.
LineResult carry_out(Conversation& conversation, const std::string& line, int64_t context);

}  // namespace cleave::app
