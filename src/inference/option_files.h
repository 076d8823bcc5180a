#pragma once

#include <filesystem>

#include "plan/hardware.h"
#include "plan/overrides.h"

namespace cleave::inference {

/// The contents of a file with overrides. Throws Error: NotFound, Io.
plan::OverrideSources::File read_override_file(const std::filesystem::path& path);

/// Rates of the planner's cost model in a file, as `cleave bench --hardware -o FILE` writes it. Throws Error.
plan::Hardware read_hardware_file(const std::filesystem::path& path);

}  // namespace cleave::inference
