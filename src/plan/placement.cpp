#include "plan/placement.h"

#include <algorithm>

namespace cleave::plan {

using graph::NodeId;

namespace {

size_t index(NodeId id) {
  return static_cast<size_t>(id);
}

// Passing an axis beats summing over it, which owes a sum.
AxisId choose(const Problem& problem, const Decisions& decisions, const Placed& placed, const NodeFacts& facts) {
  AxisId chosen = kNoAxis, sum = kNoAxis;
  for (const Use& use : facts.uses) {
    if (!decisions.split[static_cast<size_t>(use.axis)]) continue;
    if (use.role == Role::Pass && chosen == kNoAxis) chosen = use.axis;
    if (use.role == Role::Sum && sum == kNoAxis) sum = use.axis;
    // A statistic costs an exchange, which pays if a user works on a part of the result.
    if (use.role == Role::Statistic && chosen == kNoAxis &&
        std::ranges::any_of(facts.users, [&](NodeId user) { return placed.strategy[index(user)] == use.axis; }))
      chosen = use.axis;
  }
  return chosen != kNoAxis ? chosen : sum;
}

bool is_linear_in(const Problem& problem, NodeId user, NodeId value) {
  const graph::Node& node = problem.graph.node(user);
  const auto uses = std::ranges::count(node.inputs, value);
  switch (rule_of(node.op).linear) {
    case Linear::No:
      return false;
    case Linear::First:
      return node.inputs[0] == value && uses == 1;
    case Linear::Either:  // where the other operand is repeated, the sum stays small
      return uses == 1 && problem.facts(value).width == problem.facts(user).width;
    case Linear::Both:
      return problem.facts(value).width == problem.facts(user).width;
  }
  return false;
}

// Whether somebody needs the value itself, so that a sum must be taken.
bool must_be_summed(const Problem& problem, const Placed& placed, NodeId id) {
  const NodeFacts& facts = problem.facts(id);
  return facts.output || std::ranges::any_of(facts.users, [&](NodeId user) {
           return placed.strategy[index(user)] != kNoAxis || !is_linear_in(problem, user, id);
         });
}

// Of a node that every rank does all of: partial if an operand is. Two partial factors of a product cannot be: the later
// is summed first.
bool is_partial(const Problem& problem, NodeId id, Placed& placed) {
  const graph::Node& node = problem.graph.node(id);
  bool partial = false;
  for (const NodeId input : node.inputs) {
    if (!problem.facts(input).work || !placed.available(input).partial) continue;
    if (partial && rule_of(node.op).linear == Linear::Either)
      placed.reduced[index(input)] = true;
    else
      partial = true;
  }
  return partial;
}

}  // namespace

Placement wanted(const Problem& problem, const Placed& placed, NodeId user, NodeId value) {
  const AxisId axis = placed.strategy[index(user)];
  return {axis != kNoAxis && problem.facts(value).has(axis) ? axis : kNoAxis, false};
}

void place(const Problem& problem, const Decisions& decisions, Placed& placed) {
  const size_t count = problem.nodes.size();
  placed.strategy.assign(count, kNoAxis);
  placed.result.assign(count, {});
  placed.reduced.assign(count, false);
  placed.gathered.assign(count, false);
  for (size_t i = count; i-- > 0;)
    if (problem.nodes[i].work)
      placed.strategy[i] = decisions.forced[i] ? *decisions.forced[i] : choose(problem, decisions, placed, problem.nodes[i]);
  for (size_t i = 0; i < count; ++i) {
    const NodeFacts& facts = problem.nodes[i];
    if (!facts.work) continue;
    const auto id = static_cast<NodeId>(i);
    const AxisId axis = placed.strategy[i];
    Placement& result = placed.result[i];
    if (axis == kNoAxis)
      result.partial = is_partial(problem, id, placed);
    else if (facts.role(axis) == Role::Sum)
      result.partial = true;
    else
      result.axis = axis;
    if (result.partial) placed.reduced[i] = must_be_summed(problem, placed, id);
    if (result.axis != kNoAxis)
      placed.gathered[i] = facts.output || std::ranges::any_of(facts.users, [&](NodeId user) {
                             return wanted(problem, placed, user, id).axis != result.axis;
                           });
  }
}

}  // namespace cleave::plan
