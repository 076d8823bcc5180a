#include <fmt/format.h>

#include "app/bench/flags.h"
#include "app/terminal/terminal.h"
#include "base/cpus.h"
#include "base/json.h"
#include "kernels/measure/measure.h"

namespace cleave::app {
namespace {

// Portable kernels take half a second for a prompt's product: less patience than for the planner's rates.
constexpr int kRounds = 4;

/// A stored type's products with one instruction set.
struct KernelRow {
  DType type;
  kernels::Isa isa;
  kernels::ProductRates rates;
};

std::vector<kernels::Isa> wanted_isas(const BenchFlags& flags) {
  return flags.model.numbers.isa ? std::vector{*flags.model.numbers.isa} : kernels::available_isas();
}

std::vector<KernelRow> measure(const BenchFlags& flags) {
  const std::vector<kernels::Isa> isas = wanted_isas(flags);
  ThreadPool core(1), machine(flags.threads.front());
  std::vector<KernelRow> rows;
  const size_t total = isas.size() * kernels::measurable_types().size();
  for (const DType type : kernels::measurable_types())
    for (const kernels::Isa isa : isas) {
      if (shows_progress())
        note(fmt::format("cleave: measuring {} {} ({}/{})", to_string(type), to_string(isa), rows.size() + 1, total));
      rows.push_back({type, isa, kernels::measure_products(type, {core, machine}, isa, kRounds)});
    }
  return rows;
}

std::string text(const BenchFlags& flags, const std::vector<KernelRow>& rows) {
  std::string available;
  for (const kernels::Isa isa : kernels::available_isas())
    available += fmt::format("{}{}", available.empty() ? "" : ", ", to_string(isa));
  const std::string threads = fmt::format("{} THREADS", flags.threads.front());
  std::string out =
      fmt::format("{}\nkernels for {}\n\n{:<8}  {:<12}  {:>21}  {:>21}\n", machine_name(flags, usable_cpus()),
                  available, "", "", "DECODE, GB/S", "PROMPTS, GFLOP/S");
  out += fmt::format("{:<8}  {:<12}  {:>10} {:>10}  {:>10} {:>10}\n", "WEIGHTS", "SET", "1 THREAD", threads, "1 THREAD",
                     threads);
  for (const KernelRow& row : rows)
    out += fmt::format("{:<8}  {:<12}  {:10.1f} {:10.1f}  {:10.1f} {:10.1f}\n", to_string(row.type), to_string(row.isa),
                       row.rates.read.core / 1e9, row.rates.read.machine / 1e9, row.rates.flops.core / 1e9,
                       row.rates.flops.machine / 1e9);
  return out;
}

Json to_json(const BenchFlags& flags, const std::vector<KernelRow>& rows) {
  Json json = {
      {"machine", machine_name(flags, usable_cpus())}, {"threads", flags.threads.front()}, {"kernels", Json::array()}};
  for (const KernelRow& row : rows)
    json["kernels"].push_back({{"weights", std::string(to_string(row.type))},
                               {"isa", std::string(to_string(row.isa))},
                               {"core_read_bytes_per_second", row.rates.read.core},
                               {"machine_read_bytes_per_second", row.rates.read.machine},
                               {"core_flops", row.rates.flops.core},
                               {"machine_flops", row.rates.flops.machine}});
  return json;
}

}  // namespace

int bench_kernels(const BenchFlags& flags) {
  if (!flags.model.model.path.empty()) throw CLI::ValidationError("--kernels", "measures no model; leave MODEL out");
  const std::vector<KernelRow> rows = measure(flags);
  Output().write(flags.json ? to_json(flags, rows).dump(2) + "\n" : text(flags, rows));
  return 0;
}

}  // namespace cleave::app
