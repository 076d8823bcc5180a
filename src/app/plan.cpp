#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <optional>

#include "app/commands.h"
#include "app/run_model.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "base/files.h"
#include "inference/plan_report.h"

namespace cleave::app {
namespace {

struct PlanFlags {
  ModelFlags model;
  std::vector<std::filesystem::path> diff;
  std::string export_format;
  std::optional<int64_t> context;
  bool json = false;
  int ranks = 2;
};

constexpr std::array<std::pair<const char*, plan::ExportFormat>, 3> kExports = {{
    {"tp_plan", plan::ExportFormat::TpPlan},
    {"partition_config", plan::ExportFormat::PartitionConfig},
    {"items", plan::ExportFormat::Items},
}};

// What the modules of a saved plan are, by name.
std::map<std::string, std::string> placements(const std::filesystem::path& path) {
  const Json json = parse_json(read_file(path), path.string());
  if (!json.is_object() || !json.contains("modules"))
    fail(ErrorKind::InvalidArgument, "{} is no plan; save one with cleave plan MODEL --json > FILE", path.string());
  std::map<std::string, std::string> found;
  try {
    for (const Json& row : json["modules"])
      found[row.at("module").get<std::string>()] += fmt::format(
          "{} x {}{}{}; ", row.at("count").get<int64_t>(), row.at("placement").get<std::string>(),
          row.at("split_by").get<std::string>().empty() ? "" : " by ", row.at("split_by").get<std::string>());
  } catch (const Json::exception& error) {
    fail(ErrorKind::InvalidArgument, "{} is no plan: {}", path.string(), error.what());
  }
  return found;
}

int print_difference(const PlanFlags& flags) {
  std::map<std::string, std::string> a = placements(flags.diff[0]), b = placements(flags.diff[1]);
  Output output;
  int64_t equal = 0;
  for (const auto& [name, placement] : b) a.emplace(name, "");
  for (const auto& [name, before] : a) {
    const std::string after = b.contains(name) ? b[name] : "";
    const auto shown = [](const std::string& text) {
      return text.empty() ? "absent" : text.substr(0, text.size() - 2);
    };
    if (before == after)
      ++equal;
    else
      output.write(fmt::format("{}\n  - {}\n  + {}\n", name, shown(before), shown(after)));
  }
  output.write(fmt::format("{} modules are treated alike\n", equal));
  return 0;
}

int print_export(const PlanFlags& flags, const plan::Plan& plan) {
  std::vector<plan::ModuleInfo> infos;
  std::vector<std::optional<plan::Treatment>> treatments;
  for (const plan::Module& module : plan.modules) {
    infos.push_back(module.info);
    treatments.emplace_back(module.treatment);
  }
  for (const auto& [name, format] : kExports) {
    if (flags.export_format != name) continue;
    const plan::Exported exported = plan::export_decisions(infos, treatments, format);
    for (const std::string& text : exported.notes) note("cleave: note: " + text);
    Output().write(exported.text + "\n");
  }
  return 0;
}

int print_plan(const PlanFlags& flags) {
  if (!flags.diff.empty()) return print_difference(flags);
  if (flags.model.model.path.empty())
    throw CLI::RequiredError("MODEL is missing: a directory, a .gguf file or a config.json",
                             CLI::ExitCodes::RequiredError);
  const inference::OpenedModel opened = open_model(flags.model);
  const inference::SplitOptions split = split_options(flags.model.split, flags.ranks);
  const inference::PlanReport report =
      inference::plan_report(opened, split, flags.model.numbers, flags.ranks, log_to_terminal(), flags.context);
  if (!flags.export_format.empty()) return print_export(flags, report.plan);
  Output().write(flags.json ? inference::to_json(report).dump(2) + "\n" : inference::text(report));
  return 0;
}

}  // namespace

void add_plan(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("plan", "show how a model is split over ranks, why, and what it costs");
  const auto flags = std::make_shared<PlanFlags>();
  command->add_option("MODEL", flags->model.model.path, "a directory, a .gguf file, or a config.json alone");
  command
      ->add_option("--model-def", flags->model.model.definitions,
                   "model definition to add: a .lua file or a folder of them")
      ->allow_extra_args(false)
      ->type_name("PATH");
  command->add_option("--tp", flags->ranks, "ranks (default: 2)")->check(CLI::Range(1, 4096))->type_name("N");
  add_rank_threads_flag(*command, flags->model.split);
  command->add_option("--context", flags->context, "tokens of cache that a generated token reads (default: 4096)")
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("N");
  add_storage_flags(*command, flags->model);
  add_plan_flags(*command, flags->model.split);
  command->add_flag("--json", flags->json, "print JSON");
  command->add_option("--export", flags->export_format, "print the plan as overrides for others")
      ->check(CLI::IsMember({"tp_plan", "partition_config", "items"}))
      ->type_name("tp_plan|partition_config|items");
  command->add_option("--diff", flags->diff, "compare two plans that were saved with --json")
      ->expected(2)
      ->type_name("A B");
  command->callback([flags, &action] { action = [flags] { return print_plan(*flags); }; });
}

}  // namespace cleave::app
