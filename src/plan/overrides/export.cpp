#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/check.h"
#include "base/json.h"
#include "plan/overrides.h"
#include "plan/overrides/pattern.h"

namespace cleave::plan {
namespace {

using OrderedJson = nlohmann::ordered_json;

struct Decided {
  std::vector<ModuleInfo> modules;
  std::vector<std::optional<Treatment>> decisions;
};

bool concerns_experts(Treatment treatment) {
  return treatment == Treatment::ByExpert || treatment == Treatment::InsideExperts;
}

// "layers.0.mlp.experts" of "layers.0.mlp.experts.*.down_proj" and of "layers.0.mlp.experts.down_proj".
std::string mixture_of(const std::string& name) {
  return name.substr(0, std::min(name.find(".*."), name.rfind('.')));
}

// The linears of a mixture that share an expert treatment become one module, the mixture, where that goes for the
// mixtures of all layers.
Decided join_experts(std::span<const ModuleInfo> modules, std::span<const std::optional<Treatment>> decisions) {
  std::map<std::string, std::optional<Treatment>> of_mixture;
  std::map<std::string, bool> shared;  // by name with * for the layer
  const auto layers = [](const std::string& mixture) { return ModulePath(mixture).folded(); };
  for (size_t m = 0; m < modules.size(); ++m) {
    if (modules[m].kind != ModuleInfo::Kind::Experts) continue;
    const std::string mixture = mixture_of(modules[m].name);
    const std::optional<Treatment> first = of_mixture.emplace(mixture, decisions[m]).first->second;
    const bool fits = first && concerns_experts(*first) && first == decisions[m];
    const auto all = shared.emplace(layers(mixture), true).first;
    all->second = all->second && fits;
  }
  Decided joined;
  for (size_t m = 0; m < modules.size(); ++m) {
    ModuleInfo module = modules[m];
    if (module.kind == ModuleInfo::Kind::Experts && shared[layers(mixture_of(module.name))]) {
      module.name = mixture_of(module.name);
      if (of_mixture.erase(module.name) == 0) continue;  // an earlier linear stands for it
    }
    joined.modules.push_back(std::move(module));
    joined.decisions.push_back(decisions[m]);
  }
  return joined;
}

// A line of an export: one module, or all that differ in numbers alone.
struct Entry {
  std::string name;  // numbers are * where it stands for all layers
  ModuleInfo module;
  Treatment treatment;
  bool is_exception;  // one layer that differs from the others
};

// The commonest treatment of a group stands for all, layers that differ stand for themselves. Where a layer has no
// decision, every other one stands for itself.
void append_group(std::span<const ModuleInfo> modules, std::span<const std::optional<Treatment>> decisions,
                  const std::string& name, const std::vector<size_t>& group, std::vector<Entry>& entries) {
  std::map<Treatment, size_t> counts;
  for (const size_t m : group)
    if (decisions[m]) ++counts[*decisions[m]];
  if (counts.empty()) return;
  const Treatment commonest = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
                                return a.second < b.second;
                              })->first;
  const bool complete = std::all_of(group.begin(), group.end(), [&](size_t m) { return decisions[m].has_value(); });
  if (complete) entries.push_back({name, modules[group.front()], commonest, false});
  for (const size_t m : group)
    if (decisions[m] && !(complete && *decisions[m] == commonest))
      entries.push_back({modules[m].name, modules[m], *decisions[m], true});
}

std::vector<Entry> fold(std::span<const ModuleInfo> modules, std::span<const std::optional<Treatment>> decisions) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<size_t>> groups;
  for (size_t m = 0; m < modules.size(); ++m) {
    const std::string name = ModulePath(modules[m].name).folded();
    if (groups[name].empty()) order.push_back(name);
    groups[name].push_back(m);
  }
  std::vector<Entry> entries;
  for (const std::string& name : order) append_group(modules, decisions, name, groups[name], entries);
  return entries;
}

// Logits must be whole where they are used: the head, whose features are the vocabulary, gathers.
bool is_head(const Entry& entry, std::span<const ModuleInfo> modules) {
  return entry.module.kind == ModuleInfo::Kind::Linear &&
         std::any_of(modules.begin(), modules.end(), [&](const ModuleInfo& other) {
           return other.kind == ModuleInfo::Kind::Embedding && other.in == entry.module.out;
         });
}

const char* style_of(const Entry& entry, std::span<const ModuleInfo> modules) {
  const bool embedding = entry.module.kind == ModuleInfo::Kind::Embedding;
  switch (entry.treatment) {
    case Treatment::Keep:
      return "replicate";
    case Treatment::Row:
      return embedding ? "embedding_rowwise" : "rowwise";
    case Treatment::Column:
      if (embedding) return "embedding_colwise";
      return is_head(entry, modules) ? "colwise_gather_output" : "colwise";
    case Treatment::ByExpert:
      return "ep_dispatch_experts";
    case Treatment::InsideExperts:
      return "moe_tp_experts";
  }
  return "replicate";
}

Exported tp_plan(const std::vector<Entry>& entries, std::span<const ModuleInfo> modules) {
  Exported exported;
  OrderedJson plan = OrderedJson::object();
  bool exceptions = false, stars = false;
  for (const Entry& entry : entries) {
    plan[entry.name] = style_of(entry, modules);
    exceptions = exceptions || entry.is_exception;
    stars = stars || entry.module.name.find('*') != std::string::npos;
  }
  exported.text = OrderedJson{{"tp_plan", plan}}.dump(2) + "\n";
  if (exceptions)
    exported.notes.emplace_back(
        "layers differ: Transformers knows modules with * for numbers, and ignores or refuses entries of single "
        "layers");
  if (stars)
    exported.notes.emplace_back(
        "experts are named one by one, as Transformers 4 does; version 5 stacks them (experts.gate_up_proj)");
  return exported;
}

// A regular expression for one name, or for all layers and experts.
std::string layer_pattern(const std::string& name) {
  std::string pattern = "^";
  for (const char c : name) {
    if (c == '*')
      pattern += "\\d+";
    else if (std::string_view(".+?()[]{}|^$\\").find(c) != std::string_view::npos)
      pattern += {'\\', c};
    else
      pattern += c;
  }
  return pattern + "\\.weight$";
}

Exported partition_config(const std::vector<Entry>& entries, std::span<const ModuleInfo> modules,
                          std::span<const std::optional<Treatment>> decisions) {
  static constexpr std::array<std::pair<Treatment, const char*>, 3> kTypes = {
      std::pair{Treatment::Row, "row"}, {Treatment::Column, "column"}, {Treatment::Keep, "skip"}};
  OrderedJson specs = OrderedJson::array();
  // DeepSpeed takes the first spec that matches: single layers stand before all layers.
  for (const bool exceptions : {true, false}) {
    for (const auto& [treatment, type] : kTypes) {
      OrderedJson patterns = OrderedJson::array();
      for (const Entry& entry : entries)
        if (entry.treatment == treatment && entry.is_exception == exceptions)
          patterns.push_back(layer_pattern(entry.name));
      if (!patterns.empty()) specs.push_back({{"patterns", patterns}, {"partition_type", type}});
    }
  }
  Exported exported;
  size_t left_out = 0;
  bool every_linear = true;
  for (size_t m = 0; m < modules.size(); ++m) {
    const bool written = decisions[m] && !concerns_experts(*decisions[m]);
    left_out += decisions[m] && !written;
    if (modules[m].kind != ModuleInfo::Kind::Embedding) every_linear = every_linear && written;
  }
  const OrderedJson config = {{"use_default_specs", !every_linear}, {"layer_specs", specs}};
  exported.text = OrderedJson{{"tensor_parallel", {{"partition_config", config}}}}.dump(2) + "\n";
  if (left_out > 0)
    exported.notes.push_back(fmt::format(
        "DeepSpeed's partition_config has no word for dealing experts out: {} modules are left out", left_out));
  return exported;
}

Exported items(const std::vector<Entry>& entries) {
  OrderedJson root = OrderedJson::object();
  for (const Entry& entry : entries) {
    switch (entry.treatment) {
      case Treatment::Row:
        root["all_reduce_linear_items"].push_back(entry.name);
        break;
      case Treatment::Column:
        root["column_linear_items"].push_back(entry.name);
        break;
      case Treatment::Keep:
        root["keep_linear_items"].push_back(entry.name);
        break;
      case Treatment::ByExpert:
        root["experts"]["by_expert"].push_back(entry.name);
        break;
      case Treatment::InsideExperts:
        root["experts"]["inside"].push_back(entry.name);
        break;
    }
  }
  return {root.dump(2) + "\n", {}};
}

}  // namespace

Exported export_decisions(std::span<const ModuleInfo> modules, std::span<const std::optional<Treatment>> decisions,
                          ExportFormat format) {
  CHECK_EQ(modules.size(), decisions.size());
  if (format == ExportFormat::PartitionConfig) return partition_config(fold(modules, decisions), modules, decisions);
  const Decided joined = join_experts(modules, decisions);
  const std::vector<Entry> entries = fold(joined.modules, joined.decisions);
  return format == ExportFormat::TpPlan ? tp_plan(entries, modules) : items(entries);
}

}  // namespace cleave::plan
