#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "app/flags.h"

namespace cleave::app {

/// What `cleave bench` measures: the machine for the planner, kernels, or a model.
struct BenchFlags {
  ModelFlags model;
  bool machine = false;  // --hardware without a model
  bool kernels = false;
  std::filesystem::path output;        // of --hardware
  std::string name;                    // of the machine
  std::vector<int> ranks;              // --tp; empty: the default of what is measured
  std::vector<int> threads;            // of all ranks together
  int64_t prefill = 512, decode = 64;  // tokens; 0: not measured
  std::vector<int64_t> batches = {1}, contexts = {0};
  int repetitions = 5;
  bool json = false, plain = false;
};

/// "AMD EPYC, 2 cores", or what the user calls the machine.
std::string machine_name(const BenchFlags& flags, int cores);

int bench_hardware(const BenchFlags& flags);
int bench_kernels(const BenchFlags& flags);
int bench_model(const BenchFlags& flags);

}  // namespace cleave::app
