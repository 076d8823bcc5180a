#pragma once

#include <string>

#include "response/probe.h"
#include "response/response_format.h"

namespace cleave::response {

/// What stands around an assistant's text in a template's renderings.
struct AnswerFrame {
  std::string prompt;        // behind the user's last word in a prompt
  std::string before;        // behind the user's last word, before a content
  std::string content_open;  // the part of `before` that the model writes
  std::string after;         // behind a content
};

/// Sets the marks of content and what ends an answer. False where the template writes no answer.
bool find_frame(const Probe& probe, AnswerFrame& frame);

/// Sets reasoning, its trait, content marks and channels of a format, as far as the template shows them.
void find_reasoning(Probe& probe, const AnswerFrame& frame, ResponseFormat& format);

}  // namespace cleave::response
