#pragma once

#include <optional>
#include <vector>

#include "plan/problem.h"

namespace cleave::plan {

/// Where a value is: whole on every rank (neither member set), split by an axis, of which each rank has its range, or
/// partial: every rank has a summand and the sum is still owed.
struct Placement {
  AxisId axis = kNoAxis;
  bool partial = false;
  bool operator==(const Placement&) const = default;
};

/// Which axes are split, and which nodes must do otherwise.
struct Decisions {
  std::vector<bool> split;  // by axis
  /// By node: the axis that its work must be split by; kNoAxis: every rank does all of it.
  std::vector<std::optional<AxisId>> forced;
};

/// What becomes of one node: how its work is shared, how its result is left, and what is exchanged behind it.
struct NodePlacement {
  AxisId strategy = kNoAxis;  // the axis by which its work is shared; kNoAxis: every rank does all of it
  Placement result;           // as the op leaves it
  bool reduced = false;       // a partial result is summed over the ranks right behind it
  bool gathered = false;      // a split result is also made whole
  int32_t joint = -1;         // which of Placed::joint it is summed in; -1: it is summed alone

  /// The result as users find it.
  Placement available() const { return reduced ? Placement{} : result; }
};

/// What follows from decisions.
struct Placed {
  std::vector<NodePlacement> nodes;               // by node of the graph
  std::vector<std::vector<graph::NodeId>> joint;  // reduced nodes whose sums are taken in one exchange, in order

  const NodePlacement& operator[](graph::NodeId id) const { return nodes[static_cast<size_t>(id)]; }
  NodePlacement& operator[](graph::NodeId id) { return nodes[static_cast<size_t>(id)]; }
};

/// The axis by which operand `value` is split when node `user` works: that of the work where the operand has it. A
/// value that is partial is fine, too, where the user is linear in it and not split itself.
AxisId input_axis(const Problem& problem, const Placed& placed, graph::NodeId user, graph::NodeId value);

/// Propagates decisions through the graph:
/// - a node's work is split by an axis that is split and that its op passes or, failing that, sums over;
/// - a sum over a split axis is partial; it travels on through ops that are linear in it, meets other partial sums, and
///   is taken where something else needs its value. So parallel blocks owe one sum, and a bias is added once;
/// - several sums that come from the same input are reduced in one exchange;
/// - a split value that a user needs whole is gathered; of a whole value a rank just takes its part.
/// Names no op: what it asks of ops stands in their rules.
void place(const Problem& problem, const Decisions& decisions, Placed& placed);

}  // namespace cleave::plan
