#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "base/untrusted_text.h"
#include "plan/overrides.h"
#include "plan/overrides/item_lists.h"
#include "plan/overrides/items.h"
#include "plan/overrides/partition_config.h"
#include "plan/overrides/tp_plan.h"

namespace cleave::plan {
namespace {

constexpr size_t kMaxConfigBytes = size_t{4} << 20;  // whole configurations of training runs have a few KB

void append(std::vector<Override> items, ParsedOverrides& out) {
  for (Override& item : items) out.overrides.push_back(std::move(item));
}

// "by_expert" or "inside" for every mixture, or {"by_expert": names, "inside": names}.
void read_experts(const ConfigField& experts, ParsedOverrides& out) {
  const auto treatment_of = [](const ConfigField& place, std::string_view word) {
    if (word == "by_expert") return Treatment::ByExpert;
    if (word == "inside") return Treatment::InsideExperts;
    place.wrong("\"by_expert\" or \"inside\"");
  };
  if (experts.json().is_string()) {
    Override entry;
    entry.pattern = "*";
    entry.treatment = treatment_of(experts, experts.string());
    entry.origin = experts.origin();
    entry.optional = true;  // not every model has experts
    out.overrides.push_back(std::move(entry));
    return;
  }
  for (const auto& [word, names] : experts.object().items()) {
    const ConfigField place = experts.at(word);
    append(items_from_json(names, treatment_of(place, word), place.origin()), out);
  }
}

void read_item_list(const ConfigField& list, Treatment treatment, ParsedOverrides& out) {
  append(items_from_json(list.json(), treatment, list.origin()), out);
}

// "auto" asks Transformers for the model's own plan.
void read_user_plan(const ConfigField& plan, ParsedOverrides& out) {
  if (plan.json() == "auto")
    out.notes.push_back(fmt::format("{}: \"auto\" is what happens without it", plan.where()));
  else
    read_tp_plan(plan, false, out);
}

void read_class_plan(const ConfigField& plan, ParsedOverrides& out) {
  read_tp_plan(plan, true, out);
}

void note_expert_plan(const ConfigField& plan, ParsedOverrides& out) {
  out.notes.push_back(fmt::format("{}: not used; \"experts\": \"by_expert\" deals whole experts out", plan.where()));
}

void note_size(const ConfigField& size, ParsedOverrides& out) {
  out.notes.push_back(fmt::format("{}: not used; --tp sets the number of ranks", size.where()));
}

void note_preset(const ConfigField& preset, ParsedOverrides& out) {
  out.notes.push_back(fmt::format("{}: not used; how a model is split follows from its definition", preset.where()));
}

struct Section {
  const char* key;
  void (*read)(const ConfigField&, ParsedOverrides&);
};

// Returns how many of them there are.
size_t read_sections(std::span<const Section> sections, const ConfigField& object, ParsedOverrides& out) {
  size_t found = 0;
  for (const Section& section : sections) {
    if (!object.has(section.key)) continue;
    ++found;
    section.read(object.at(section.key), out);
  }
  return found;
}

constexpr std::array kParallelSections = {
    Section{"partition_config", read_partition_config},
    Section{"preset_model", note_preset},
    Section{"autotp_size", note_size},
    Section{"tp_size", note_size},
};

// DeepSpeed's section; its own contents may be missing.
void read_tensor_parallel(const ConfigField& section, ParsedOverrides& out) {
  section.object();
  read_sections(kParallelSections, section, out);
}

constexpr std::array kPlanSections = {
    Section{"base_model_tp_plan", read_class_plan},
    Section{"tp_plan", read_user_plan},
    Section{"_tp_plan", read_class_plan},
    Section{"ep_plan", read_user_plan},
    Section{"base_model_ep_plan", note_expert_plan},
};

constexpr std::array kTopSections = {
    Section{"injection_policy", read_injection_policy}, Section{"injection_dict", read_injection_policy},
    Section{"tensor_parallel", read_tensor_parallel},   Section{"tp", read_tensor_parallel},
    Section{"partition_config", read_partition_config}, Section{"experts", read_experts},
};

// A misspelt list would be ignored in silence.
void check_spelling(const ConfigField& root) {
  std::vector<std::string> known;
  for (const ItemList& list : item_lists())
    if (list.treatment) known.emplace_back(list.name);
  for (const auto& [key, value] : root.json().items()) {
    if (key.size() > kMaxComparedBytes || std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::vector<std::string> nearest = nearest_names(key, known, 1);
    if (!nearest.empty() && edit_distance(key, nearest[0]) <= 2)
      fail(ErrorKind::InvalidArgument, "{}: unknown key {}; did you mean {}?", root.where(), in_quotes(key, '\''),
           in_quotes(nearest[0], '\''));
  }
}

// Everything in the file that holds overrides; returns how many parts that are.
size_t read_known(const ConfigField& root, ParsedOverrides& out) {
  size_t found = read_sections(kPlanSections, root, out);
  // The language model of a model for text and images.
  if (root.has("text_config") && root.at("text_config").json().is_object())
    found += read_sections(kPlanSections, root.at("text_config"), out);
  found += read_sections(kTopSections, root, out);
  for (const ItemList& list : item_lists()) {
    if (!list.treatment || !root.has(list.name)) continue;
    ++found;
    read_item_list(root.at(list.name), *list.treatment, out);
  }
  if (!root.has("layer_specs")) return found;
  read_partition_config(root, out);
  return found + 1;
}

}  // namespace

ParsedOverrides parse_config(std::string_view text, const Origin& origin) {
  if (text.size() > kMaxConfigBytes)
    fail(ErrorKind::InvalidArgument, "{}: {} bytes are more than a configuration has ({})", origin.where, text.size(),
         kMaxConfigBytes);
  const Json json = parse_json(text, origin.where);
  const ConfigField root(json, origin);
  root.object();
  ParsedOverrides out;
  const size_t found = read_known(root, out);
  check_spelling(root);
  if (found > 0 || json.empty()) return out;
  if (!is_tp_plan(json))
    fail(ErrorKind::InvalidArgument,
         "{}: holds no overrides: wanted keep_linear_items, all_reduce_linear_items, column_linear_items, experts, "
         "tensor_parallel, injection_policy, tp_plan or base_model_tp_plan",
         origin.where);
  read_user_plan(root, out);
  return out;
}

}  // namespace cleave::plan
