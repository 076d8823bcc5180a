#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inference/options.h"

namespace cleave::app {

/// Over how many ranks a model is split, and what the user wants of the split.
struct SplitFlags {
  int tp = 1;
  std::optional<int> threads_per_rank;
  bool pin = false;
  std::vector<double> rank_weights;  // one per rank; empty: equal
  plan::Policy policy = plan::Policy::Auto;
  std::vector<std::pair<std::string, std::string>> overrides;  // flag and value, in the order of the command line
  std::vector<std::filesystem::path> configs;
  bool strict = false;
  std::filesystem::path hardware;
};

/// --rank-weights, --policy, --keep, --all-reduce, --column, --config, --strict.
void add_override_flags(CLI::App& command, SplitFlags& flags);
/// The same, and --hardware.
void add_plan_flags(CLI::App& command, SplitFlags& flags);
/// --threads-per-rank, --pin.
void add_rank_threads_flag(CLI::App& command, SplitFlags& flags);
/// --hosts, for commands that run a model: command_line.cpp starts the processes, which ignore the flag.
CLI::Option* add_hosts_flag(CLI::App& command);
/// All of these flags, and --tp.
void add_split_flags(CLI::App& command, SplitFlags& flags);

/// What the flags, the files that they name and the environment say of a split over `ranks` ranks. Throws Error where a
/// file cannot be read; CLI::ValidationError where --rank-weights gives another number of weights.
inference::SplitOptions split_options(const SplitFlags& flags, int ranks);

}  // namespace cleave::app
