#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/untrusted_text.h"
#include "plan/overrides.h"
#include "plan/overrides/item_lists.h"
#include "plan/overrides/items.h"

namespace cleave::plan {
namespace {

struct BuiltIn {
  const char* pattern;
  Treatment treatment;
  const char* models;  // comma list
  const char* reason;
};

// What no rule finds by itself. Models work without: the split follows from the data flow, so an entry needs a reason
// that the flow does not show.
constexpr std::array kBuiltIn = {
    BuiltIn{
        "shared_expert_gate", Treatment::Keep, "qwen2_moe,qwen3_next",
        "one output feature: a split saves 1/N of one row and costs a collective per layer, also under --policy split"},
};

constexpr std::array kItemLists = {
    ItemList{"all_reduce_linear_items", Treatment::Row, false},
    ItemList{"allReduceLinearItems", Treatment::Row, true},
    ItemList{"DS_ALL_REDUCE_LINEAR_ITEMS", Treatment::Row, true},
    ItemList{"column_linear_items", Treatment::Column, false},
    ItemList{"keep_linear_items", Treatment::Keep, false},
    ItemList{"keepLinearItems", Treatment::Keep, true},
    ItemList{"DS_KEEP_LINEAR_ITEMS", Treatment::Keep, true},
    ItemList{"DS_REMOVED_COMMON_REDUCE_LINEAR_KEYS", std::nullopt, true},
};

std::vector<Override> built_in_overrides() {
  std::vector<Override> all;
  for (const BuiltIn& entry : kBuiltIn) {
    Override item;
    item.pattern = entry.pattern;
    item.treatment = entry.treatment;
    item.models = models_from_json(entry.models, "built-in");
    item.origin = {OriginKind::BuiltIn, fmt::format("built-in ({})", entry.reason)};
    item.optional = true;
    all.push_back(std::move(item));
  }
  return all;
}

// Drops the built-in overrides that a variable names.
void remove_built_in(const OverrideSources::Variable& variable, ParsedOverrides& all) {
  const Origin origin{OriginKind::Environment, variable.name};
  for (const Override& name : parse_items(variable.value, Treatment::Keep, origin)) {
    const size_t dropped = std::erase_if(all.overrides, [&](const Override& item) {
      return item.origin.kind == OriginKind::BuiltIn && item.pattern == name.pattern;
    });
    if (dropped == 0)
      all.notes.push_back(fmt::format("{}: {} is not built in, so there is nothing to remove", variable.name,
                                      in_quotes(name.pattern, '\'')));
  }
}

// Variables that are not empty in the order of the table, whatever the environment's: where two say different things of
// a module, the table decides, and keep comes last.
std::vector<OverrideSources::Variable> in_order(std::vector<OverrideSources::Variable> variables) {
  std::erase_if(variables, [](const auto& variable) { return variable.value.empty(); });
  for (const OverrideSources::Variable& variable : variables)
    if (find_item_list(variable.name) == nullptr)
      fail(ErrorKind::InvalidArgument, "{} holds no overrides", variable.name);
  std::stable_sort(variables.begin(), variables.end(),
                   [](const auto& a, const auto& b) { return find_item_list(a.name) < find_item_list(b.name); });
  return variables;
}

void append(ParsedOverrides parsed, ParsedOverrides& all) {
  for (Override& item : parsed.overrides) all.overrides.push_back(std::move(item));
  for (std::string& note : parsed.notes) all.notes.push_back(std::move(note));
  if (all.overrides.size() > kMaxOverrides) fail(ErrorKind::InvalidArgument, "more than {} overrides", kMaxOverrides);
}

}  // namespace

std::span<const ItemList> item_lists() {
  return kItemLists;
}

const ItemList* find_item_list(std::string_view name) {
  const auto found =
      std::find_if(kItemLists.begin(), kItemLists.end(), [&](const ItemList& list) { return name == list.name; });
  return found == kItemLists.end() ? nullptr : &*found;
}

std::string_view to_string(Treatment treatment) {
  static constexpr std::array<std::string_view, 5> kNames = {"keep", "row", "column", "by expert", "inside experts"};
  return kNames.at(static_cast<size_t>(treatment));
}

std::vector<std::string> environment_variables() {
  std::vector<std::string> names;
  for (const ItemList& list : kItemLists)
    if (list.in_environment) names.emplace_back(list.name);
  return names;
}

std::optional<Treatment> flag_treatment(std::string_view flag) {
  if (flag == "--keep") return Treatment::Keep;
  if (flag == "--all-reduce") return Treatment::Row;
  if (flag == "--column") return Treatment::Column;
  return std::nullopt;
}

ParsedOverrides collect_overrides(const OverrideSources& sources) {
  ParsedOverrides all{built_in_overrides(), {}};
  const std::vector<OverrideSources::Variable> variables = in_order(sources.environment);
  for (const OverrideSources::Variable& variable : variables)
    if (!find_item_list(variable.name)->treatment) remove_built_in(variable, all);
  if (sources.model_directory)
    append(parse_config(sources.model_directory->text, {OriginKind::ModelDirectory, sources.model_directory->name}),
           all);
  for (size_t i = 0; i < sources.configs.size(); ++i)
    append(
        parse_config(sources.configs[i].text, {OriginKind::ConfigFile, sources.configs[i].name, static_cast<int>(i)}),
        all);
  for (const OverrideSources::Variable& variable : variables)
    if (const auto treatment = find_item_list(variable.name)->treatment)
      append({parse_items(variable.value, *treatment, {OriginKind::Environment, variable.name}), {}}, all);
  for (const OverrideSources::Flag& flag : sources.flags) {
    const std::optional<Treatment> treatment = flag_treatment(flag.name);
    if (!treatment) fail(ErrorKind::InvalidArgument, "{} is no flag for overrides", flag.name);
    append({parse_items(flag.value, *treatment, {OriginKind::Flag, flag.name}), {}}, all);
  }
  return all;
}

}  // namespace cleave::plan
