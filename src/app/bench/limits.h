#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "kernels/measure/peak_loop.h"
#include "plan/work.h"

namespace cleave::app {

/// What this machine cannot exceed, measured.
struct Limits {
  double read = 0;                                                 // bytes per second from memory, in pages of 2 MB
  std::array<double, std::size(kernels::kArithmetics)> peak = {};  // operations per second, by Arithmetic
};

/// Limits of each of the numbers of threads. Takes a second or two for each on a quiet machine.
std::map<int, Limits> measure_limits(const std::vector<int>& threads);

/// Bytes per second that so many threads get by read(), a megabyte at a time into memory that they use again: the
/// faster of two passes over the files, or over their first 4 GB where they are larger. 0 for no files. Throws
/// Error(Io).
double measure_files(const std::vector<std::filesystem::path>& files, int threads);

/// The least time that a step can take, and why.
struct Bound {
  double seconds = 0;
  std::string by;  // "memory" or "arithmetic"
};

/// `exact`: products and attention in f32, whatever the weights are stored in; otherwise blocks are taken to meet 8-bit
/// integers, 16-bit weights bf16, and attention to be in whichever of f32 and bf16 is faster.
Bound bound_of(const plan::StepWork& work, const Limits& limits, bool exact);

}  // namespace cleave::app
