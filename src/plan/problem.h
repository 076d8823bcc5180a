#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/axes.h"
#include "plan/rules.h"
#include "tensor/dtype.h"

namespace cleave::plan {

/// How many rows a value has in a step of T tokens.
enum class RowKind : uint8_t { Fixed, Tokens, OutputRows, Routed };

/// What the planner knows of one node of the graph. A node that depends on weights alone is no work: its users say
/// which part of it they want.
struct NodeFacts {
  bool work = false;                 // computes something in every step
  std::vector<Use> uses;             // axes that its work could be split by, and those that must not be split here
  std::vector<AxisId> axes;          // in the dimensions of its result
  std::vector<graph::NodeId> users;  // nodes that work with its result
  RowKind rows = RowKind::Fixed;
  int64_t slots = 1;           // choices of each token, where rows are routed to experts
  int64_t width = 1;           // elements of one row of an activation, of all of a parameter
  DType stored = DType::BF16;  // of a parameter: how the checkpoint has it
  bool output = false;

  /// The role of an axis; nothing where the node has nothing to do with it.
  std::optional<Role> role(AxisId axis) const;
  bool has(AxisId axis) const;
};

/// A graph prepared for planning over ranks of given weights: axes with the borders that they would have, and every
/// node's facts. Borrows the graph.
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

/// `stored` is the type of each weight node in the checkpoint, by node; other entries, or all where it is empty, are
/// ignored and taken for bfloat16. Ranges never cut a block of a stored type.
Problem make_problem(const graph::Graph& graph, std::vector<double> rank_weights, const std::vector<DType>& stored);

}  // namespace cleave::plan
