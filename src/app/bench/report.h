#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/bench/limits.h"
#include "app/bench/setting.h"
#include "base/json.h"

namespace cleave::app {

/// A case of a setting, measured: what a line of the report says.
struct BenchRow {
  int ranks = 1, threads = 1;
  BenchCase what;
  const Samples* samples = nullptr;
  double units = 1;  // tokens of a prefill, or of a step: its seconds times a rate
  Bound bound;
  double predicted_seconds = 0;  // by the planner; 0 where it does not predict such a case

  double rate_of(double seconds) const { return seconds > 0 ? units / seconds : 0; }
  double share_of_limit() const { return samples->rate() * bound.seconds / units; }
};

/// How a setting was loaded.
struct LoadRow {
  int ranks = 1, threads = 1;
  double seconds = 0;    // planning and packing included
  double file_rate = 0;  // bytes per second that its threads read from the same files afterwards; 0 without files
};

struct BenchReport {
  std::string machine, model, architecture;
  double stored_bytes = 0;  // of the weights
  std::map<int, Limits> limits;
  std::vector<LoadRow> loads;
  std::vector<BenchRow> rows;  // borrow the settings' samples
};

/// Tables for people.
std::string text(const BenchReport& report);
Json to_json(const BenchReport& report);
/// "PREFILL DECODE" in tokens per second, "-" for what was not measured: for programs that compare.
std::string plain_text(const std::vector<BenchRow>& rows);

}  // namespace cleave::app
