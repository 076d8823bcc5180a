#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "load/network/network.h"
#include "load/report/summary.h"
#include "load/runner.h"
#include "load/workload/job.h"
#include "load/workload/workload.h"

namespace cleave::app {

/// What `cleave bench-serve` does to a server.
struct LoadFlags {
  std::string url, key_file;
  load::TlsOptions tls;
  load::RequestSettings request{.temperature = 0};
  std::optional<bool> ignore_eos;  // absent: of requests that are made up
  std::optional<int64_t> concurrency;
  std::optional<double> rate;
  std::optional<int64_t> agents;
  load::AgentSettings agent;
  std::string file;
  load::Range prompt_tokens{.least = 50, .most = 500}, answer_tokens{.least = 20, .most = 200};
  load::RunLimits limits;
  int64_t warmup = 0;
  uint64_t seed = 1;
  load::ServiceLimits service;
  std::string json, svg;
};

void add_load_flags(CLI::App& command, LoadFlags& flags);

}  // namespace cleave::app
