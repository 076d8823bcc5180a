#pragma once

#include "response/find_reasoning.h"
#include "response/probe.h"
#include "response/response_format.h"

namespace cleave::response {

/// Finds how a template writes calls, and sets format.calls, the traits of the probe that show them, and the parts of
/// format.channels that have to do with calls. Kind None, with a note, where it writes none that can be understood.
void find_calls(Probe& probe, const AnswerFrame& frame, ResponseFormat& format);

}  // namespace cleave::response
