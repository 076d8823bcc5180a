#include "plan/placement.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace cleave::plan {

using graph::NodeId;

namespace {

size_t index(NodeId id) {
  return static_cast<size_t>(id);
}

// Whether splitting by an axis, which the node passes, is of use. Heavy work is worth it in any case, and so is the
// graph's result, which rank 0 alone needs whole. Light work is if a user goes on with a part of the result, or if a
// single gather behind it then replaces several before it. A statistic costs an exchange of its own.
bool pays(const Problem& problem, const Placed& placed, NodeId id, const Use& use) {
  const NodeFacts& facts = problem.facts(id);
  const graph::Node& node = problem.graph.node(id);
  if (use.role == Role::Pass && (!rule_of(node.op).light || facts.output)) return true;
  if (std::ranges::any_of(facts.users, [&](NodeId user) { return placed.strategy[index(user)] == use.axis; }))
    return true;
  return use.role == Role::Pass && std::ranges::count_if(node.inputs, [&](NodeId input) {
                                     return problem.facts(input).work && problem.facts(input).has(use.axis);
                                   }) > 1;
}

// Passing an axis beats summing over it, which owes a sum.
AxisId choose(const Problem& problem, const Decisions& decisions, const Placed& placed, NodeId id) {
  AxisId chosen = kNoAxis, sum = kNoAxis;
  for (const Use& use : problem.facts(id).uses) {
    if (!decisions.split[static_cast<size_t>(use.axis)] || use.role == Role::Whole) continue;
    if (use.role == Role::Sum)
      sum = sum == kNoAxis ? use.axis : sum;
    else if (chosen == kNoAxis && pays(problem, placed, id, use))
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

// Of a node that every rank does all of: partial if an operand is. Two partial factors of a product cannot be: the
// later is summed first.
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

// The only operand that is work; -1 where there are others, or none.
NodeId only_operand(const Problem& problem, NodeId id) {
  NodeId only = -1;
  for (const NodeId input : problem.graph.node(id).inputs) {
    if (!problem.facts(input).work || input == only) continue;
    if (only >= 0) return -1;
    only = input;
  }
  return only;
}

// Nodes with equal origins need nothing of one another's sums: on the way from the origin there are parameters alone.
using Origin = std::tuple<NodeId, bool, RowKind, int64_t>;  // a value, whether it is multiplied, rows and their slots

// Back through what a partial sum has travelled, to where it arose: the operand of that product, or else that node.
Origin origin_of(const Problem& problem, const Placed& placed, NodeId id) {
  const NodeFacts& facts = problem.facts(id);
  NodeId from = id;
  for (NodeId next = id; placed.strategy[index(from)] == kNoAxis && (next = only_operand(problem, from)) >= 0;)
    from = next;
  const NodeId operand = placed.strategy[index(from)] == kNoAxis ? -1 : only_operand(problem, from);
  return {operand >= 0 ? operand : from, operand >= 0, facts.rows, facts.slots};
}

void join_sums(const Problem& problem, Placed& placed) {
  std::map<Origin, std::vector<NodeId>> by_origin;
  for (size_t i = 0; i < placed.reduced.size(); ++i)
    if (placed.reduced[i]) {
      const auto id = static_cast<NodeId>(i);
      by_origin[origin_of(problem, placed, id)].push_back(id);
    }
  for (auto& [origin, nodes] : by_origin) {
    if (nodes.size() < 2) continue;
    for (const NodeId id : nodes) placed.joint_of[index(id)] = static_cast<int32_t>(placed.joint.size());
    placed.joint.push_back(std::move(nodes));
  }
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
  placed.joint.clear();
  placed.joint_of.assign(count, -1);
  for (size_t i = count; i-- > 0;)
    if (problem.nodes[i].work)
      placed.strategy[i] =
          decisions.forced[i] ? *decisions.forced[i] : choose(problem, decisions, placed, static_cast<NodeId>(i));
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
  join_sums(problem, placed);
}

}  // namespace cleave::plan
