#include "inference/unused_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

namespace cleave::inference {
namespace {

std::set<std::string> used_tensors(const graph::Model& graphs) {
  std::set<std::string> used;
  for (const graph::Graph& graph : graphs.graphs)
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

// The name with a * in place of every segment that is a number.
std::string without_numbers(const std::string& name) {
  std::string result;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    const std::string segment = name.substr(begin, end - begin);
    const bool number =
        !segment.empty() && std::ranges::all_of(segment, [](unsigned char c) { return std::isdigit(c); });
    result += (begin == 0 ? "" : ".") + (number ? "*" : segment);
    begin = end + 1;
  }
  return result;
}

}  // namespace

std::vector<std::string> unused_tensors(const ckpt::Checkpoint& checkpoint, const graph::Model& graphs) {
  const std::set<std::string> used = used_tensors(graphs);
  std::map<std::string, std::vector<std::string>> by_pattern;
  for (const std::string& name : checkpoint.names())
    if (!used.contains(name)) by_pattern[without_numbers(name)].push_back(name);
  std::vector<std::string> lines;
  for (const auto& [pattern, names] : by_pattern)
    lines.push_back(names.size() == 1 ? names[0] : fmt::format("{} ({})", pattern, names.size()));
  return lines;
}

}  // namespace cleave::inference
