#include "inference/unused_tensors.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "base/strings.h"

namespace cleave::inference {
namespace {

std::set<std::string> used_tensors(const graph::Graph& graph) {
  std::set<std::string> used;
  for (const graph::Node& node : graph.nodes()) {
    if (node.op != graph::Op::Weight) continue;
    const auto& weight = node.as<graph::WeightAttributes>();
    if (weight.stacked == 0) used.insert(weight.name);
    for (int64_t i = 0; i < weight.stacked; ++i) {
      std::string name = weight.name;
      used.insert(name.replace(name.find('*'), 1, std::to_string(i)));
    }
  }
  return used;
}

}  // namespace

std::vector<std::string> unused_tensors(const ckpt::Checkpoint& checkpoint, const graph::Graph& graph) {
  const std::set<std::string> used = used_tensors(graph);
  std::map<std::string, std::vector<std::string>> by_pattern;
  for (const std::string& name : checkpoint.names())
    if (!used.contains(name)) by_pattern[stars_for_numbers(name)].push_back(name);
  std::vector<std::string> lines;
  for (const auto& [pattern, names] : by_pattern)
    lines.push_back(names.size() == 1 ? names[0] : fmt::format("{} ({})", pattern, names.size()));
  return lines;
}

}  // namespace cleave::inference
