#include "plan/node_work.h"

#include <algorithm>

namespace cleave::plan {

using graph::Node;
using graph::NodeId;

namespace {

bool is_idle(const Problem& problem, NodeId id, AxisId axis, int rank) {
  if (axis == kNoAxis || problem.facts(id).role(axis) == Role::Statistic) return false;
  const Interval range = problem.axes[axis].range(rank);
  if (problem.facts(id).role(axis) == Role::Sum) return range.size() == 0;
  const graph::Dims& dims = problem.graph.dims();
  return std::ranges::any_of(problem.graph.node(id).dims, [&](graph::DimId dim) {
    return dims.extent(dim) != graph::kDynamic && problem.axes.local_extent(dims, dim, axis, range) == 0;
  });
}

// A sum of a value that is still owed and one that is not: the latter must not be added by every rank.
bool is_added_once(const Problem& problem, const Placed& placed, NodeId id) {
  const Node& node = problem.graph.node(id);
  if (rule_of(node.op).linear != Linear::Both || placed[id].strategy != kNoAxis) return false;
  const auto is_partial = [&](NodeId input) { return problem.facts(input).work && placed[input].available().partial; };
  return is_partial(node.inputs[0]) != is_partial(node.inputs[1]);
}

}  // namespace

std::vector<NodeWork> share_work(const Problem& problem, const Placed& placed) {
  std::vector<NodeWork> all(problem.nodes.size());
  for (size_t i = 0; i < all.size(); ++i) {
    if (!problem.nodes[i].work) continue;
    const auto id = static_cast<NodeId>(i);
    NodeWork& work = all[i];
    for (const NodeId input : problem.graph.node(id).inputs)
      work.inputs.push_back(input_axis(problem, placed, id, input));
    const AxisId axis = placed[id].strategy;
    for (int rank = 0; rank < problem.ranks; ++rank) work.idle.push_back(is_idle(problem, id, axis, rank));
    work.added_once = is_added_once(problem, placed, id);
    work.statistic = axis != kNoAxis && problem.facts(id).role(axis) == Role::Statistic;
  }
  return all;
}

}  // namespace cleave::plan
