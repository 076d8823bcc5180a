#include "app/split_flags.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "app/hosts/host_list.h"
#include "base/error.h"
#include "inference/option_files.h"

namespace cleave::app {
namespace {

constexpr int kMaxRanks = 4096;

void add_override_flag(CLI::App& command, SplitFlags& flags, const std::string& name, const std::string& help) {
  command
      .add_option_function<std::vector<std::string>>(
          name,
          [&flags, name](const std::vector<std::string>& values) {
            for (const std::string& value : values) flags.overrides.emplace_back(name, value);
          },
          help)
      ->allow_extra_args(false)
      ->trigger_on_parse()
      ->type_name("PATTERN");
}

}  // namespace

void add_override_flags(CLI::App& command, SplitFlags& flags) {
  command.add_option("--rank-weights", flags.rank_weights, "shares of the ranks, such as 2,1,1 (default: equal)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check([](const std::string& text) -> std::string {
        double value = 0;
        const bool good = CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value > 0;
        return good ? "" : fmt::format("saw \"{}\", wanted numbers above 0", text);
      })
      ->type_name("W,W,...");
  command
      .add_option_function<std::string>(
          "--policy",
          [&flags](const std::string& value) {
            flags.policy = value == "split" ? plan::Policy::Split : plan::Policy::Auto;
          },
          "auto: split what makes a token faster (default); split: all that can be, for least memory")
      ->check(CLI::IsMember({"auto", "split"}))
      ->type_name("auto|split");
  add_override_flag(command, flags, "--keep", "modules to keep whole on every rank; can be given several times");
  add_override_flag(command, flags, "--all-reduce", "linears to split over input features, with an all-reduce");
  add_override_flag(command, flags, "--column", "linears to split over output features");
  command.add_option("--config", flags.configs, "JSON with overrides: Cleave's, DeepSpeed's or Transformers' form")
      ->allow_extra_args(false)
      ->type_name("FILE");
  command.add_flag("--strict", flags.strict, "an override that matches nothing is an error");
}

void add_plan_flags(CLI::App& command, SplitFlags& flags) {
  add_override_flags(command, flags);
  command.add_option("--hardware", flags.hardware, "rates of the machine, for the planner")->type_name("FILE");
}

CLI::Option* add_hosts_flag(CLI::App& command) {
  return command.add_option("--hosts")
      ->description("start processes on these machines: a:2,b:2 is two on a and two on b")
      ->expected(1)
      ->check([](const std::string& text) -> std::string {
        try {
          parse_hosts(text);
          return "";
        } catch (const Error& error) {
          return error.what();
        }
      })
      ->type_name("HOST:N,...");
}

void add_split_flags(CLI::App& command, SplitFlags& flags) {
  command.add_option("--tp", flags.tp, "ranks of this process to split the model over (default: 1)")
      ->check(CLI::Range(1, kMaxRanks))
      ->type_name("N");
  add_hosts_flag(command);
  add_rank_threads_flag(command, flags);
  add_plan_flags(command, flags);
}

void add_rank_threads_flag(CLI::App& command, SplitFlags& flags) {
  command.add_option("--threads-per-rank", flags.threads_per_rank, "threads of each rank (default: --threads, shared)")
      ->check(CLI::Range(1, kMaxRanks))
      ->type_name("N");
  command.add_flag("--pin", flags.pin, "bind every thread to a core (always done where there are several NUMA nodes)");
}

inference::SplitOptions split_options(const SplitFlags& flags, int ranks) {
  if (!flags.rank_weights.empty() && flags.rank_weights.size() != static_cast<size_t>(ranks))
    throw CLI::ValidationError("--rank-weights",
                               fmt::format("{} weights for {} ranks", flags.rank_weights.size(), ranks));
  inference::SplitOptions options{.rank_weights = flags.rank_weights,
                                  .policy = flags.policy,
                                  .strict = flags.strict,
                                  .threads_per_rank = flags.threads_per_rank.value_or(0)};
  for (const std::filesystem::path& path : flags.configs)
    options.overrides.configs.push_back(inference::read_override_file(path));
  for (const std::string& name : plan::environment_variables())
    if (const char* value = std::getenv(name.c_str()); value != nullptr)
      options.overrides.environment.push_back({name, value});
  for (const auto& [name, value] : flags.overrides) options.overrides.flags.push_back({name, value});
  if (!flags.hardware.empty()) options.hardware = inference::read_hardware_file(flags.hardware);
  return options;
}

}  // namespace cleave::app
