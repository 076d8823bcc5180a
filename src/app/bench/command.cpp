#include <memory>

#include "app/bench/flags.h"
#include "app/commands.h"
#include "base/cpus.h"
#include "base/error.h"

namespace cleave::app {
namespace {

constexpr int kMost = 1 << 20;

template <class Number>
CLI::Option* add_list(CLI::App& command, const std::string& name, std::vector<Number>& values, Number least,
                      const std::string& help) {
  return command.add_option(name, values, help)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(least, static_cast<Number>(kMost)))
      ->type_name("N,N,...");
}

[[noreturn]] void refuse(const std::string& message) {
  throw CLI::RequiredError(message, CLI::ExitCodes::RequiredError);
}

int bench(const BenchFlags& flags) {
  if (flags.kernels) return bench_kernels(flags);
  if (!flags.model.model.path.empty()) return bench_model(flags);
  if (flags.machine) return bench_hardware(flags);
  refuse("what to measure is missing: MODEL, --hardware or --kernels");
}

void add_measures(CLI::App& command, BenchFlags& flags) {
  add_list(command, "--tp", flags.ranks, 1, "numbers of ranks (default: 1; of --hardware: 2)");
  CLI::Option* threads =
      add_list(command, "--threads", flags.threads, 1, "threads of all ranks together (default: every core available)");
  const auto count = [&](const std::string& name, int64_t& value, const std::string& help) {
    command.add_option(name, value, help)->check(CLI::Range(0, kMost))->type_name("N");
  };
  count("--prefill", flags.prefill, "tokens of the prompt, behind nothing (default: 512; 0: no prefill)");
  count("--decode", flags.decode, "tokens that a sequence gets one by one (default: 64; 0: no decode)");
  add_list<int64_t>(command, "--batch", flags.batches, 1, "sequences that decode in the same steps (default: 1)");
  add_list<int64_t>(command, "--context", flags.contexts, 0, "tokens that decode begins behind (default: 0)");
  command.add_option("--repetitions", flags.repetitions, "turns of every setting; medians count (default: 5)")
      ->check(CLI::Range(1, kMost))
      ->type_name("N");
  CLI::Option* json = command.add_flag("--json", flags.json, "print JSON");
  command.add_flag("--plain", flags.plain, "print \"PREFILL DECODE\" in tokens/s, of one setting")->excludes(json);
  add_rank_threads_flag(command, flags.model.split);
  command.get_option("--threads-per-rank")->excludes(threads);
}

void add_machine_flags(CLI::App& command, BenchFlags& flags) {
  command
      .add_option_function<std::string>(
          "--hardware",
          [&flags](const std::string& value) {
            flags.machine = true;
            flags.model.split.hardware = value;
          },
          "without MODEL: measure memory, products and exchanges for the planner; with it: FILE with such rates")
      ->expected(0, 1)
      ->type_name("[FILE]");
  command
      .add_option("-o,--output", flags.output,
                  "of --hardware: write the rates to a file, and a table to standard output")
      ->type_name("FILE");
  command.add_option("--name", flags.name, "what to call the machine (default: its processor)")->type_name("TEXT");
  command.add_flag("--kernels", flags.kernels, "measure products of every stored type with every instruction set");
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("bench", "measure a model, or this machine for the planner");
  const auto flags = std::make_shared<BenchFlags>();
  flags->threads = {usable_cpus()};
  add_model_path(*command, flags->model);
  command->get_option("MODEL")->required(false);
  add_hosts_flag(*command)->needs(command->get_option("MODEL"));
  add_measures(*command, *flags);
  add_machine_flags(*command, *flags);
  add_random_flags(*command, flags->model);
  add_number_flags(*command, flags->model);
  add_override_flags(*command, flags->model.split);
  command->callback([flags, &action] { action = [flags] { return bench(*flags); }; });
}

}  // namespace cleave::app
