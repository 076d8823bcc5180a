#include "plan/problem.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace cleave::plan {

using graph::DimId;
using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;

namespace {

// A range of fewer indices than this is not rounded to whole tiles.
constexpr int64_t kLargeRange = 512;
// Rows that kernels work on at a time; ranges of large axes are multiples of it.
constexpr int64_t kTile = 16;

void find_work(const Graph& graph, Problem& problem) {
  const std::vector<bool> parameters = graph::find_parameters(graph);
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    problem.nodes[i].work = !parameters[i] && node.op != Op::Input;
    if (!problem.nodes[i].work) continue;
    for (const NodeId input : node.inputs)
      problem.nodes[static_cast<size_t>(input)].users.push_back(static_cast<NodeId>(i));
  }
  for (const graph::Output& output : graph.outputs()) problem.nodes[static_cast<size_t>(output.node)].output = true;
}

void describe(const Graph& graph, NodeId id, const std::vector<DType>& stored, Problem& problem) {
  const Node& node = graph.node(id);
  NodeFacts& facts = problem.nodes[static_cast<size_t>(id)];
  facts.rows = graph::rows_of(graph, id);
  for (const DimId dim : node.dims)
    if (graph.dims().extent(dim) != graph::kDynamic) facts.width *= graph.dims().extent(dim);
  if (facts.rows == Rows::Routed) facts.width /= std::max<int64_t>(1, graph.dims().extent(node.dims[0]));
  if (node.op == Op::Weight && static_cast<size_t>(id) < stored.size()) facts.stored = stored[static_cast<size_t>(id)];
  if (node.op == Op::Dispatch) facts.slots = graph.shape(node.inputs[1]).back();
  for (const NodeId input : node.inputs) {
    const NodeFacts& from = problem.facts(input);
    if (!facts.work && node.op != Op::Weight) facts.stored = from.stored;
    if (node.op != Op::Dispatch && facts.rows == Rows::Routed) facts.slots = std::max(facts.slots, from.slots);
  }
}

// The unit in which an axis can be split so that no range of `dim` cuts a block of elements that follow one another.
int64_t unit_of_blocks(const Problem& problem, DimId dim, AxisId axis, int64_t block) {
  const std::vector<Interval> first = problem.axes.local(problem.graph.dims(), dim, axis, {0, 1});
  const int64_t inner = first.front().size();  // elements that one index of the axis spans
  const int64_t extent = problem.axes[axis].extent;
  const bool repeats = first.size() > 1;  // the axis is not outermost: its ranges recur every extent * inner elements
  return repeats && extent * inner % block != 0 ? extent : block / std::gcd(block, inner);
}

void raise_unit(Axis& axis, int64_t unit) {
  axis.unit = std::lcm(axis.unit, unit);
}

// Units in which a range is a box of every tensor, and cuts no block of a stored weight.
void find_units(const Graph& graph, Problem& problem) {
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const NodeFacts& facts = problem.nodes[i];
    if (!facts.work && facts.users.empty()) continue;
    for (const DimId dim : node.dims)
      for (const AxisId axis : problem.axes.in_dim(graph.dims(), dim))
        raise_unit(problem.axes[axis], problem.axes.unit_for(graph.dims(), node.dims, axis));
    const int64_t block = info(facts.stored).block_elements;
    if (facts.work || block == 1 || node.dims.size() < 2) continue;
    for (const AxisId axis : problem.axes.in_dim(graph.dims(), node.dims.back()))
      raise_unit(problem.axes[axis], unit_of_blocks(problem, node.dims.back(), axis, block));
  }
}

void find_borders(Problem& problem) {
  for (size_t a = 0; a < problem.axes.size(); ++a) {
    Axis& axis = problem.axes[static_cast<AxisId>(a)];
    if (axis.atoms.size() == 1 && axis.unit < kTile && kTile % axis.unit == 0 &&
        axis.extent >= kLargeRange * problem.ranks)
      axis.unit = kTile;
    axis.can_split = axis.can_split && axis.extent > axis.unit;
    axis.borders = split_in_proportion(axis.extent, axis.unit, problem.rank_weights);
  }
}

}  // namespace

std::optional<Role> NodeFacts::role(AxisId axis) const {
  for (const Use& use : uses)
    if (use.axis == axis) return use.role;
  return std::nullopt;
}

bool NodeFacts::has(AxisId axis) const {
  return std::ranges::count(axes, axis) > 0;
}

bool is_parameter(const Problem& problem, NodeId id) {
  return !problem.facts(id).work && problem.graph.node(id).op != Op::Input;
}

bool is_product(const Problem& problem, NodeId id) {
  const Node& node = problem.graph.node(id);
  return problem.facts(id).work && graph::op_info(node.op).family == graph::OpFamily::Matmul &&
         is_parameter(problem, node.inputs[1]);
}

Problem make_problem(const Graph& graph, std::vector<double> rank_weights, const std::vector<DType>& stored) {
  CHECK(!rank_weights.empty());
  const auto ranks = static_cast<int>(rank_weights.size());
  Problem problem{graph, ranks, std::move(rank_weights), Axes(graph, joined_factors(graph)), {}};
  problem.nodes.resize(graph.nodes().size());
  find_work(graph, problem);
  const auto count = static_cast<NodeId>(graph.nodes().size());
  for (NodeId id = 0; id < count; ++id) describe(graph, id, stored, problem);
  label_axes(graph, problem.axes);
  find_units(graph, problem);
  find_borders(problem);
  for (NodeId id = 0; id < count; ++id) {
    NodeFacts& facts = problem.nodes[static_cast<size_t>(id)];
    if (facts.work) facts.uses = uses_of(graph, id, problem.axes);
    for (const DimId dim : graph.node(id).dims)
      for (const AxisId axis : problem.axes.in_dim(graph.dims(), dim))
        if (problem.axes[axis].can_split && !facts.has(axis)) facts.axes.push_back(axis);
  }
  return problem;
}

}  // namespace cleave::plan
