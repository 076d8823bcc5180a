#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "app/flags.h"
#include "app/serve/log.h"
#include "server/service.h"

namespace cleave::app {

/// What `cleave serve` is told.
struct ServeFlags {
  ModelFlags model;
  server::ServiceOptions service;  // keys are read later
  std::filesystem::path key_file;
  std::vector<std::string> aliases;  // names of the model; the first is told to clients
  bool any_model = false;
  bool ignore_generation_config = false;
  std::optional<int64_t> context, cache_tokens, max_tokens;
  int64_t parallel = 64, max_gap_ms = 150;
  bool no_prefix_cache = false, no_page = false;
  LogForm log = LogForm::Text;
};

/// All flags of the command, MODEL among them, which a file may give, too.
void add_serve_flags(CLI::App& command, ServeFlags& flags);

/// The service's options, with the keys read from their file. Warns of a server that other machines reach without a
/// key. Throws Error where the file cannot be read or holds no key.
server::ServiceOptions service_options(const ServeFlags& flags);

}  // namespace cleave::app
