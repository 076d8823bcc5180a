#pragma once

#include <string>

#include "response/response_format.h"

namespace cleave::response {

/// What was found of a format, for people: a line each, "NAME  VALUE", with texts in quotes and notes at the end.
std::string explain_format(const ResponseFormat& format);

}  // namespace cleave::response
