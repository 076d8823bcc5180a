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

// Whether splitting this node by `use.axis` pays. Yes for heavy ops, and for an output, which rank 0 alone needs whole.
// A light op is split only if a user keeps the part, or if one gather behind it replaces several in front. A statistic
// costs an exchange of its own, so it pays only for a user that keeps the part.
bool pays(const Problem& problem, const Placed& placed, NodeId id, const Use& use) {
  const NodeFacts& facts = problem.facts(id);
  const graph::Node& node = problem.graph.node(id);
  if (use.role == Role::Pass && (!rule_of(node.op).light || facts.output)) return true;
  if (std::ranges::any_of(facts.users, [&](NodeId user) { return placed[user].strategy == use.axis; })) return true;
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
           return placed[user].strategy != kNoAxis || !is_linear_in(problem, user, id);
         });
}

// Whether the result of a node that every rank does all of is partial: if an operand is. Two factors of a product
// cannot both be partial, so the second one is summed first.
bool is_partial(const Problem& problem, NodeId id, Placed& placed) {
  const graph::Node& node = problem.graph.node(id);
  bool partial = false;
  for (const NodeId input : node.inputs) {
    if (!problem.facts(input).work || !placed[input].available().partial) continue;
    if (partial && rule_of(node.op).linear == Linear::Either)
      placed[input].reduced = true;
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

// Where a partial sum comes from: a value, whether it is multiplied there, and the rows of the sum with their slots.
// Sums of equal origin can be taken in one exchange, since on the way from the origin there are parameters alone.
using Origin = std::tuple<NodeId, bool, Rows, int64_t>;

// Goes back through the nodes that a partial sum has travelled to the product that made it, and gives its operand; the
// node itself where no product made it.
Origin origin_of(const Problem& problem, const Placed& placed, NodeId id) {
  const NodeFacts& facts = problem.facts(id);
  NodeId from = id;
  for (NodeId next = id; placed[from].strategy == kNoAxis && (next = only_operand(problem, from)) >= 0;) from = next;
  const NodeId operand = placed[from].strategy == kNoAxis ? -1 : only_operand(problem, from);
  return {operand >= 0 ? operand : from, operand >= 0, facts.rows, facts.slots};
}

void join_sums(const Problem& problem, Placed& placed) {
  std::map<Origin, std::vector<NodeId>> by_origin;
  for (size_t i = 0; i < placed.nodes.size(); ++i)
    if (placed.nodes[i].reduced) {
      const auto id = static_cast<NodeId>(i);
      by_origin[origin_of(problem, placed, id)].push_back(id);
    }
  for (auto& [origin, nodes] : by_origin) {
    if (nodes.size() < 2) continue;
    for (const NodeId id : nodes) placed[id].joint = static_cast<int32_t>(placed.joint.size());
    placed.joint.push_back(std::move(nodes));
  }
}

// How the result is left, and what must be done about it. Users' strategies are known.
void place_result(const Problem& problem, NodeId id, Placed& placed) {
  const NodeFacts& facts = problem.facts(id);
  NodePlacement& node = placed[id];
  if (node.strategy == kNoAxis)
    node.result.partial = is_partial(problem, id, placed);
  else if (facts.role(node.strategy) == Role::Sum)
    node.result.partial = true;
  else
    node.result.axis = node.strategy;
  if (node.result.partial) node.reduced = must_be_summed(problem, placed, id);
  if (node.result.axis != kNoAxis)
    node.gathered = facts.output || std::ranges::any_of(facts.users, [&](NodeId user) {
                      return input_axis(problem, placed, user, id) != node.result.axis;
                    });
}

}  // namespace

AxisId input_axis(const Problem& problem, const Placed& placed, NodeId user, NodeId value) {
  const AxisId axis = placed[user].strategy;
  return axis != kNoAxis && problem.facts(value).has(axis) ? axis : kNoAxis;
}

void place(const Problem& problem, const Decisions& decisions, Placed& placed) {
  const auto count = static_cast<NodeId>(problem.nodes.size());
  placed.nodes.assign(problem.nodes.size(), {});
  placed.joint.clear();
  for (NodeId id = count; id-- > 0;)
    if (problem.facts(id).work)
      placed[id].strategy =
          decisions.forced[index(id)] ? *decisions.forced[index(id)] : choose(problem, decisions, placed, id);
  for (NodeId id = 0; id < count; ++id)
    if (problem.facts(id).work) place_result(problem, id, placed);
  join_sums(problem, placed);
}

}  // namespace cleave::plan
