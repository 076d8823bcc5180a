#include "graph/turning.h"

#include <algorithm>
#include <set>

namespace cleave::graph {

int64_t Turning::of(int64_t length) const {
  const auto numbers = static_cast<int64_t>(switches.size());
  if (length > dynamic_from) return numbers + length;
  return std::ranges::count_if(switches, [&](int64_t limit) { return length > limit; });
}

Turning turning(const Graph& graph) {
  using LengthRule = RopeAttributes::LengthRule;
  Turning result;
  std::set<int64_t> switches;
  for (const Node& node : graph.nodes()) {
    if (node.op != Op::Rope) continue;
    const auto& rope = node.as<RopeAttributes>();
    if (rope.length_rule == LengthRule::Switch) switches.insert(rope.original_length);
    if (rope.length_rule == LengthRule::Dynamic)
      result.dynamic_from = std::min(result.dynamic_from, rope.original_length);
  }
  result.switches.assign(switches.begin(), switches.end());
  return result;
}

}  // namespace cleave::graph
