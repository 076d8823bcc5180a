#pragma once

#include <functional>
#include <string_view>

#include "plan/hardware.h"

namespace cleave::runtime {

/// What of this machine is measured.
struct MeasureOptions {
  int threads = 1;  // the cores of the machine that models may use
  int ranks = 2;    // of the exchanges that are measured, each with its part of the threads; below 2: none
};

/// Called before each thing that is measured.
using MeasureProgress = std::function<void(std::string_view what, int done, int total)>;

/// The rates of this machine for the planner's cost model, measured in a quarter of a minute or so. Threads are bound
/// to cores meanwhile, where there are enough. What is not measured keeps its default: the network, and exchanges where
/// there are no two ranks. Throws Error.
plan::Hardware measure_hardware(const MeasureOptions& options, const MeasureProgress& progress);

}  // namespace cleave::runtime
