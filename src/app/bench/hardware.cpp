#include <fmt/format.h>

#include <fstream>
#include <string>

#include "app/bench/flags.h"
#include "app/terminal/terminal.h"
#include "base/files.h"
#include "runtime/measure_hardware.h"

namespace cleave::app {
namespace {

// "AMD EPYC", as the system calls the processor; empty where it does not say.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (const size_t colon = line.find(": "); line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  return "";
}

std::string pair_of(double core, double machine, double unit) {
  return fmt::format("{:10.1f} {:10.1f}", core / unit, machine / unit);
}

std::string table(const plan::Hardware& hardware, int ranks) {
  const std::string cores = fmt::format("{} CORE{}", hardware.cores, hardware.cores == 1 ? "" : "S");
  const std::string heads = fmt::format("{:>10} {:>10}", "1 CORE", cores);
  std::string out = fmt::format("{}\n\n{:<12} {}   {}\n{:<12} {}   {}\n", hardware.name, "", heads, heads, "",
                                fmt::format("{:>21}", "READ, GB/S"), fmt::format("{:>21}", "PROMPTS, GFLOP/S"));
  out += fmt::format("{:<12} {}\n", "memory", pair_of(hardware.core_read, hardware.machine_read, 1e9));
  for (const auto& [type, rates] : hardware.formats)
    out += fmt::format("{:<12} {}   {}\n", type, pair_of(rates.core_read, rates.machine_read, 1e9),
                       pair_of(rates.core_flops, rates.machine_flops, 1e9));
  out += fmt::format("\na product costs {:.2f} us beside its bytes, any other operation {:.2f} us\n",
                     hardware.call_seconds * 1e6, hardware.operation_seconds * 1e6);
  if (ranks > 1)
    out += fmt::format("an exchange between {} ranks {:.2f} us with the wait for the slowest, and {:.1f} GB/s\n", ranks,
                       hardware.collective_latency * 1e6, hardware.collective_bandwidth / 1e9);
  return out;
}

}  // namespace

std::string machine_name(const BenchFlags& flags, int cores) {
  if (!flags.name.empty()) return flags.name;
  const std::string processor = processor_name();
  return fmt::format("{}, {} core{}", processor.empty() ? "this machine" : processor, cores, cores == 1 ? "" : "s");
}

int bench_hardware(const BenchFlags& flags) {
  const bool progress = shows_progress();
  const int ranks = flags.ranks.empty() ? 2 : flags.ranks.front();
  plan::Hardware hardware = runtime::measure_hardware(
      {.threads = flags.threads.front(), .ranks = ranks}, [&](std::string_view what, int done, int total) {
        if (progress) note(fmt::format("cleave: measuring {} ({}/{})", what, done + 1, total));
      });
  hardware.name = machine_name(flags, flags.threads.front());
  const std::string json = hardware.to_json().dump(2) + "\n";
  if (flags.output.empty()) {
    note(table(hardware, ranks));
    Output().write(json);
    return 0;
  }
  write_file(flags.output, json);
  Output().write(table(hardware, ranks));
  note(fmt::format("cleave: written to {}; the planner reads it with --hardware {}", flags.output.string(),
                   flags.output.string()));
  return 0;
}

}  // namespace cleave::app
