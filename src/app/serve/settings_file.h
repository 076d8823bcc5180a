#pragma once

#include <CLI/CLI.hpp>

namespace cleave::app {

/// --settings FILE: a TOML or JSON file that gives a command's flags by their names without dashes, "model" for MODEL.
/// What the command line says counts more. To be added before all other flags, which it fills in. Parsing throws
/// CLI::ValidationError for a name that is no flag, and for a file that is neither.
void add_settings_file(CLI::App& command);

}  // namespace cleave::app
