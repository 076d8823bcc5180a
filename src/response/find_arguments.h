#pragma once

#include "response/call_sample.h"
#include "response/probe.h"
#include "response/response_format.h"

namespace cleave::response {

/// Finds the marks around the keys and values of a tagged call, of which the sample's first call shows two, both
/// strings. `head_end`: where the text behind the name begins; `behind`: what follows the last value, up to the next
/// call or the end. Sets arguments and style, takes from `head_tail`, the text before the first key, the mark that
/// opens an argument, and from `behind` what closes the last value.
void find_argument_marks(const Probe& probe, const CallSample& sample, const CallSpan& span, std::string& head_tail,
                         std::string& behind, CallSyntax& syntax);

}  // namespace cleave::response
