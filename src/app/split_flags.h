#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plan/search.h"

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
void add_wish_flags(CLI::App& command, SplitFlags& flags);
/// Those, and --hardware.
void add_plan_flags(CLI::App& command, SplitFlags& flags);
void add_rank_threads_flag(CLI::App& command, SplitFlags& flags);  // --threads-per-rank, --pin
/// All of them, and --tp.
void add_split_flags(CLI::App& command, SplitFlags& flags);

/// One weight for each of `ranks` ranks; equal ones where none is given. Throws CLI::ValidationError where another
/// number was given.
std::vector<double> rank_weights(const std::vector<double>& given, int ranks);

}  // namespace cleave::app
