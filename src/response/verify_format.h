#pragma once

#include <string>
#include <vector>

#include "response/probe.h"
#include "response/response_format.h"

namespace cleave::response {

/// Whether an answer that has these calls, and nothing else, parses back to them with that format.
bool parses_back(const ResponseFormat& format, const std::string& answer, const std::vector<ProbeCall>& calls);

}  // namespace cleave::response
