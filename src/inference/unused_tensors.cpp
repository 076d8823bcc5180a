#include "inference/unused_tensors.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "base/strings.h"
#include "graph/stored_name.h"

namespace cleave::inference {
namespace {

std::set<std::string> used_tensors(const graph::Graph& graph) {
  std::set<std::string> used;
  for (const graph::Node& node : graph.nodes()) {
    if (node.op != graph::Op::Weight) continue;
    for (std::string& name : graph::stored_names(node.as<graph::WeightAttributes>())) used.insert(std::move(name));
  }
  return used;
}

}  // namespace

std::vector<std::string> unused_tensors(const TensorTable& tensors, const graph::Graph& graph) {
  const std::set<std::string> used = used_tensors(graph);
  std::map<std::string, std::vector<std::string>> by_pattern;
  for (const auto& [name, info] : tensors)
    if (!used.contains(name)) by_pattern[stars_for_numbers(name)].push_back(name);
  std::vector<std::string> lines;
  for (const auto& [pattern, names] : by_pattern)
    lines.push_back(names.size() == 1 ? names[0] : fmt::format("{} ({})", pattern, names.size()));
  return lines;
}

}  // namespace cleave::inference
