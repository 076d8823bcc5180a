#pragma once

#include <span>
#include <string>

#include "base/json.h"
#include "load/report/result.h"
#include "load/report/summary.h"

namespace cleave::load {

/// A run as people read it; `title` is its first line. Times are in milliseconds.
std::string text_of(const std::string& title, const Summary& summary);

/// The same for programs, times in seconds.
Json json_of(const std::string& title, const Summary& summary);

/// A picture of it in SVG: how times are distributed, and tokens and requests over time.
std::string svg_of(const std::string& title, std::span<const Result> results, const Summary& summary);

}  // namespace cleave::load
