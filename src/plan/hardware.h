#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"

namespace cleave::plan {

/// What products with weights of one stored type reach: bytes of weights, as stored, per second in products with one
/// row (types whose unpacking is slower than memory have their own rate), and flops per second in products of prompts.
struct FormatRates {
  double core_read = 0, machine_read = 0;
  double core_flops = 0, machine_flops = 0;

  bool operator==(const FormatRates&) const = default;
};

/// Rates of one machine kind and its links, measured (`cleave bench --hardware`) or given (`--hardware FILE`). Bytes
/// and flops per second, seconds. The defaults are those of a two-core cloud server of 2023, for planning without
/// measuring.
struct Hardware {
  std::string name = "default";
  int cores = 2;               // of a machine
  int ranks_per_machine = 0;   // 0: as many as it has cores
  double core_read = 18e9;     // memory read by one core: caches, and weights of types that `formats` lacks
  double machine_read = 32e9;  // by all of them together
  double core_flops = 100e9;   // products of prompts with weights of such types
  double machine_flops = 200e9;
  std::map<std::string, FormatRates> formats;  // by stored type, where measured
  double call_seconds = 1.5e-6;                // fixed cost of one product
  double operation_seconds = 1e-6;             // of any other operation of a step
  double collective_latency =
      4e-6;  // of a small all-reduce between ranks of a machine, waiting for the slowest included
  double collective_bandwidth = 8e9;  // of large ones: bytes that a rank takes in
  double network_latency = 30e-6;     // between machines
  double network_bandwidth = 1.2e9;

  /// From the JSON form; keys that are absent keep their defaults. Throws Error(InvalidArgument) naming an unknown key
  /// or a value that is no positive number.
  static Hardware from_json(const Json& json);
  Json to_json() const;

  bool operator==(const Hardware&) const = default;
};

/// What one rank gets of its machine, for weights of a stored type; of memory as such where `format` is empty.
struct RankRates {
  double read = 0, flops = 0;
};
RankRates rates_per_rank(const Hardware& hardware, int ranks, int threads_per_rank, const std::string& format);

/// Seconds of an all-reduce of `bytes` over all ranks: small ones in one exchange (everybody reads everybody), large
/// ones as reduce-scatter and all-gather; between machines on top of it (docs/communication.md).
double all_reduce_seconds(const Hardware& hardware, int ranks, double bytes);
/// Seconds until everybody has the `bytes` of which each rank brings its part.
double all_gather_seconds(const Hardware& hardware, int ranks, double bytes);

}  // namespace cleave::plan
