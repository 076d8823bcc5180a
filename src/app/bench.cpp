#include <fmt/format.h>

#include <fstream>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/flags.h"
#include "app/terminal.h"
#include "base/error.h"
#include "runtime/measure_hardware.h"

namespace cleave::app {
namespace {

struct BenchFlags {
  bool hardware = false;
  std::filesystem::path output;
  std::string name;
  int threads = 1, ranks = 2;
};

// "AMD EPYC", as the system calls the processor; empty where it does not say.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (const size_t colon = line.find(": "); line.starts_with("model name") && colon != std::string::npos)
      return line.substr(colon + 2);
  return "";
}

std::string machine_name(const BenchFlags& flags) {
  if (!flags.name.empty()) return flags.name;
  const std::string processor = processor_name();
  return fmt::format("{}, {} core{}", processor.empty() ? "this machine" : processor, flags.threads,
                     flags.threads == 1 ? "" : "s");
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

int bench_hardware(const BenchFlags& flags) {
  const bool progress = shows_progress();
  plan::Hardware hardware = runtime::measure_hardware(
      {.threads = flags.threads, .ranks = flags.ranks}, [&](std::string_view what, int done, int total) {
        if (progress) note(fmt::format("cleave: measuring {} ({}/{})", what, done + 1, total));
      });
  hardware.name = machine_name(flags);
  const std::string json = hardware.to_json().dump(2) + "\n";
  if (flags.output.empty()) {
    note(table(hardware, flags.ranks));
    Output().write(json);
    return 0;
  }
  std::ofstream file(flags.output, std::ios::binary);
  file << json << std::flush;
  if (!file) fail(ErrorKind::Io, "cannot write {}", flags.output.string());
  Output().write(table(hardware, flags.ranks));
  note(fmt::format("cleave: written to {}; the planner reads it with --hardware {}", flags.output.string(),
                   flags.output.string()));
  return 0;
}

int bench(const BenchFlags& flags) {
  if (!flags.hardware)
    throw CLI::RequiredError("what to measure is missing: --hardware", CLI::ExitCodes::RequiredError);
  return bench_hardware(flags);
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("bench", "measure this machine, for the planner");
  const auto flags = std::make_shared<BenchFlags>();
  flags->threads = available_cores();
  command->add_flag("--hardware", flags->hardware, "measure memory, products of every stored type, and exchanges");
  command->add_option("-o,--output", flags->output, "write the rates to a file, and a table to standard output")
      ->type_name("FILE");
  command->add_option("--name", flags->name, "what to call the machine (default: its processor)")->type_name("TEXT");
  command->add_option("--threads", flags->threads, "cores to measure with (default: every core available)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  command->add_option("--tp", flags->ranks, "ranks of the exchanges that are measured (default: 2; 1: none)")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  command->callback([flags, &action] { action = [flags] { return bench(*flags); }; });
}

}  // namespace cleave::app
