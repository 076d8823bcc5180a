#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/rows.h"
#include "plan/axes.h"
#include "plan/rules.h"
#include "tensor/dtype.h"

namespace cleave::plan {

using graph::Rows;

/// What the planner knows of one node of the graph. A node that depends on weights alone is a parameter and no work:
/// its users say which part of it they want.
struct NodeFacts {
  bool work = false;                 // computes something in every step
  std::vector<Use> uses;             // axes of its operands and result, with their roles
  std::vector<AxisId> axes;          // axes of its result that can be split
  std::vector<graph::NodeId> users;  // nodes that work with its result
  Rows rows = Rows::Fixed;
  int64_t slots = 1;           // choices of each token, where rows are routed to experts
  int64_t width = 1;           // elements of one row of an activation, or of the whole parameter
  DType stored = DType::BF16;  // of a parameter: its type in the checkpoint
  bool output = false;         // one of the graph's outputs

  /// The role of an axis; nothing where the node has nothing to do with it.
  std::optional<Role> role(AxisId axis) const;
  bool has(AxisId axis) const;
};

/// A graph prepared for planning over ranks of given weights: its axes, with the borders that each would have if it
/// were split, and every node's facts. Borrows the graph.
struct Problem {
  const graph::Graph& graph;
  int ranks;
  std::vector<double> rank_weights;
  Axes axes;
  std::vector<NodeFacts> nodes;  // by node

  const NodeFacts& facts(graph::NodeId id) const { return nodes[static_cast<size_t>(id)]; }
};

/// Whether a node depends on weights alone.
bool is_parameter(const Problem& problem, graph::NodeId id);

/// Whether a node is a product with a weight, of whose bytes and flops most of a step consists.
bool is_product(const Problem& problem, graph::NodeId id);

/// `stored` gives the type of each weight in the checkpoint, by node. It may be empty: weights then count as bfloat16,
/// and so do those beyond its end. Borders never cut a block of a stored type.
Problem make_problem(const graph::Graph& graph, std::vector<double> rank_weights, const std::vector<DType>& stored);

}  // namespace cleave::plan
