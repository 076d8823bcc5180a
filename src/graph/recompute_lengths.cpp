#include "graph/recompute_lengths.h"

#include <algorithm>
#include <set>

namespace cleave::graph {

std::vector<int64_t> recompute_lengths(const Graph& graph) {
  std::set<int64_t> lengths;
  for (const Node& node : graph.nodes())
    if (node.op == Op::Rope && node.as<RopeAttributes>().recomputed)
      lengths.insert(node.as<RopeAttributes>().original_length);
  return {lengths.begin(), lengths.end()};
}

bool passes_any(const std::vector<int64_t>& lengths, int64_t from, int64_t to) {
  return std::ranges::any_of(lengths, [&](int64_t length) { return from <= length && length < to; });
}

}  // namespace cleave::graph
