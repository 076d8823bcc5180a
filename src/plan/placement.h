#pragma once

#include <optional>
#include <vector>

#include "plan/problem.h"

namespace cleave::plan {

/// Where a value is: whole on every rank (neither member set), each rank's range of one axis, or as a sum that is still
/// owed (every rank has a part of it).
struct Placement {
  AxisId axis = kNoAxis;
  bool partial = false;
  bool operator==(const Placement&) const = default;
};

/// Which axes are split, and which nodes must do otherwise.
struct Decisions {
  std::vector<bool> split;  // by axis
  std::vector<std::optional<AxisId>>
      forced;  // by node: the axis its work is split by, kNoAxis: every rank does all of it
};

/// What follows from decisions: how every node's work is shared, how its result is left, and what is exchanged.
struct Placed {
  std::vector<AxisId> strategy;   // by node
  std::vector<Placement> result;  // by node: as the op leaves it
  std::vector<bool> reduced;      // by node: its partial result is summed over the ranks right behind it
  std::vector<bool> gathered;     // by node: its split result is also made whole
  std::vector<std::vector<graph::NodeId>> joint;  // reduced nodes whose sums are taken in one exchange, in order
  std::vector<int32_t> joint_of;                  // by node: which of `joint` it is in; -1: it is summed alone

  /// As users find it.
  Placement available(graph::NodeId id) const {
    const auto i = static_cast<size_t>(id);
    return reduced[i] ? Placement{} : result[i];
  }
};

/// The placement that node `user` wants operand `value` in. A partial one is fine too where the user is linear in it
/// and not split itself.
Placement wanted(const Problem& problem, const Placed& placed, graph::NodeId user, graph::NodeId value);

/// Propagates decisions through the graph:
/// - a node's work is split by an axis that is split and that its op passes or, failing that, sums over;
/// - a sum over a split axis is partial; it travels on through ops that are linear in it, meets other partial sums, and
///   is taken where something else needs its value. So parallel blocks owe one sum, and a bias is added once;
/// - sums of what is made of one value, by products or by cutting it, are there at the same time and taken together;
/// - a split value that someone needs whole is gathered; the other way round a rank just takes its part.
/// Knows no op: all it asks for is in the rules.
void place(const Problem& problem, const Decisions& decisions, Placed& placed);

}  // namespace cleave::plan
