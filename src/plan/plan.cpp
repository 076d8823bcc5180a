#include "plan/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "base/check.h"
#include "base/hash.h"

namespace cleave::plan {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;

namespace {

void check_weights(const std::vector<double>& weights) {
  if (weights.empty()) fail(ErrorKind::InvalidArgument, "a plan for 0 ranks, wanted at least 1");
  for (const double weight : weights)
    if (!std::isfinite(weight) || weight <= 0)
      fail(ErrorKind::InvalidArgument, "a rank weight is {}, wanted a number above 0", weight);
  if (!std::isfinite(std::accumulate(weights.begin(), weights.end(), 0.0)))
    fail(ErrorKind::InvalidArgument, "the rank weights add up to more than a number can hold; wanted shares");
}

// The name under which a weight's module is known: without ".weight" and, for stacked ones, with its star.
std::string module_of_weight(const Graph& graph, NodeId id) {
  while (graph.node(id).op != Op::Weight) id = graph.node(id).inputs[0];
  std::string name = graph.node(id).as<graph::WeightAttributes>().name;
  const std::string suffix = ".weight";
  if (name.ends_with(suffix)) name.resize(name.size() - suffix.size());
  return name;
}

std::vector<Module> find_modules(const Problem& problem) {
  const Graph& graph = problem.graph;
  std::vector<Module> modules;
  std::map<std::string, size_t> by_name;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const auto id = static_cast<NodeId>(i);
    const bool product = is_product(problem, id), blocks = node.op == Op::BlockMatmul;
    const bool table = node.op == Op::Embedding && is_parameter(problem, node.inputs[1]);
    if (!product && !table) continue;
    const NodeId weight = node.inputs[1];
    const Shape shape = graph.shape(weight);
    ModuleInfo info;
    info.name = product && !node.name.empty() ? node.name : module_of_weight(graph, weight);
    info.kind = table                          ? ModuleInfo::Kind::Embedding
                : shape.size() == 3 && !blocks ? ModuleInfo::Kind::Experts
                                               : ModuleInfo::Kind::Linear;
    info.in = table ? shape[0] : shape.back();
    const auto [found, fresh] = by_name.emplace(info.name, modules.size());
    if (fresh) modules.push_back({.info = info, .nodes = {}, .decision = {}, .remark = {}});
    Module& module = modules[found->second];
    const auto has_weight = [&](NodeId other) { return graph.node(other).inputs[1] == weight; };
    if (std::ranges::none_of(module.nodes, has_weight)) module.info.out += table ? shape[1] : shape[shape.size() - 2];
    module.nodes.push_back(id);
  }
  return modules;
}

/// Turns what users want of modules into constraints on nodes.
class Constraints {
 public:
  explicit Constraints(const Problem& problem) : problem_(problem) {
    forced_.resize(problem.nodes.size());
    forbidden_.assign(problem.axes.size(), false);
    required_.assign(problem.axes.size(), false);
    outside_experts_.assign(problem.axes.size(), false);
    for (const NodeFacts& facts : problem.nodes)
      if (facts.rows != Rows::Routed)
        for (const Use& use : facts.uses) outside_experts_[static_cast<size_t>(use.axis)] = true;
  }

  void add(Module& module) {
    if (!module.decision) return;
    for (const NodeId node : module.nodes) add(node, module.decision->treatment, module.remark);
  }

  const std::vector<std::optional<AxisId>>& forced() const { return forced_; }
  /// What an axis must be; `forbidden` goes before `required`.
  AxisRules axis_rules() const { return {required_, forbidden_}; }

 private:
  void add(NodeId id, Treatment treatment, std::string& remark) {
    const bool routed = problem_.facts(id).rows == Rows::Routed;
    const AxisId experts = routed ? expert_axis(id) : kNoAxis;
    switch (treatment) {
      case Treatment::ByExpert:
        require(experts, remark);
        return;
      case Treatment::InsideExperts:
        forbid(experts);
        require(inner_axis(id), remark);
        return;
      case Treatment::Keep:
      case Treatment::Row:
      case Treatment::Column:
        break;
    }
    forbid(experts);  // rows routed to experts cannot change hands
    if (treatment == Treatment::Keep)
      forced_[index(id)] = kNoAxis;
    else
      forced_[index(id)] = choose(id, treatment == Treatment::Row ? Role::Sum : Role::Pass, remark);
  }

  static size_t index(NodeId id) { return static_cast<size_t>(id); }

  AxisId expert_axis(NodeId id) const {
    const graph::DimId dim = problem_.graph.node(id).dims[0];
    const std::vector<AxisId> axes = problem_.axes.in_dim(problem_.graph.dims(), dim);
    return axes.empty() ? kNoAxis : axes[0];
  }

  void forbid(AxisId axis) {
    if (axis != kNoAxis) forbidden_[static_cast<size_t>(axis)] = true;
  }

  void require(AxisId axis, std::string& remark) {
    if (axis != kNoAxis && problem_.axes[axis].can_split)
      required_[static_cast<size_t>(axis)] = true;
    else
      remark = "there is nothing to split; kept whole";
  }

  // The axis of an expert's weight that occurs nowhere but inside the experts.
  AxisId inner_axis(NodeId id) const {
    const AxisId experts = expert_axis(id);
    for (const Use& use : problem_.facts(id).uses)
      if (use.axis != experts && !outside_experts_[static_cast<size_t>(use.axis)]) return use.axis;
    return kNoAxis;
  }

  // The axis of the node's own weight with that role and most units; the outermost of several.
  AxisId choose(NodeId id, Role role, std::string& remark) const {
    const NodeId weight = problem_.graph.node(id).inputs[1];
    const AxisId experts = problem_.facts(id).rows == Rows::Routed ? expert_axis(id) : kNoAxis;
    AxisId best = kNoAxis;
    int64_t most = 1;
    for (const Use& use : problem_.facts(id).uses) {
      if (use.role != role || use.axis == experts || !problem_.facts(weight).has(use.axis)) continue;
      const Axis& axis = problem_.axes[use.axis];
      const int64_t units = (axis.extent + axis.unit - 1) / axis.unit;
      if (std::min<int64_t>(units, problem_.ranks) <= std::min<int64_t>(most, problem_.ranks) && best != kNoAxis)
        continue;
      best = use.axis;
      most = units;
    }
    if (best == kNoAxis)
      remark = fmt::format("its {} cannot be split; kept whole", role == Role::Sum ? "input" : "output");
    else if (most < problem_.ranks)
      remark = fmt::format("{} units for {} ranks: {} get nothing", most, problem_.ranks, problem_.ranks - most);
    return best;
  }

  const Problem& problem_;
  std::vector<std::optional<AxisId>> forced_;
  std::vector<bool> forbidden_, required_;
  std::vector<bool> outside_experts_;  // by axis: whether work on rows that are not routed has to do with it
};

Treatment treatment_of(const Problem& problem, const Placed& placed, NodeId id) {
  const AxisId axis = placed[id].strategy;
  if (axis == kNoAxis) return Treatment::Keep;
  if (problem.facts(id).role(axis) == Role::Sum) return Treatment::Row;
  const bool routed = problem.facts(id).rows == Rows::Routed;
  const auto in_first = problem.axes.in_dim(problem.graph.dims(), problem.graph.node(id).dims[0]);
  return routed && std::ranges::count(in_first, axis) > 0 ? Treatment::ByExpert : Treatment::Column;
}

}  // namespace

uint64_t Plan::hash() const {
  Hash hash;
  hash.add(ranks);
  for (size_t a = 0; a < axes.size(); ++a)
    for (const int64_t border : axes[static_cast<AxisId>(a)].borders) hash.add(border);
  for (const NodePlacement& node : placed.nodes) {
    hash.add(static_cast<uint64_t>(node.strategy) * 8 + (node.result.partial ? 4u : 0u) + (node.reduced ? 2u : 0u) +
             (node.gathered ? 1u : 0u));
    hash.add(node.result.axis);
    hash.add(node.joint);
  }
  return hash.value();
}

Plan make_plan(const Graph& graph, const PlanOptions& options) {
  check_weights(options.rank_weights);
  Problem problem = make_problem(graph, options.rank_weights, options.stored);
  std::vector<Module> modules = find_modules(problem);
  std::vector<ModuleInfo> infos;
  for (const Module& module : modules) infos.push_back(module.info);
  Resolved resolved = resolve(options.overrides, infos, options.names, options.strict);
  Constraints constraints(problem);
  for (size_t m = 0; m < modules.size(); ++m) {
    modules[m].decision = resolved.by_module[m];
    constraints.add(modules[m]);
    if (!modules[m].remark.empty())
      resolved.warnings.push_back(fmt::format("{}: {} asked for {}: {}", modules[m].info.name,
                                              options.overrides[modules[m].decision->override].origin.where,
                                              to_string(modules[m].decision->treatment), modules[m].remark));
  }
  const NodeCosts costs(problem, options.cost);
  Plan plan{problem.ranks,
            options.rank_weights,
            problem.axes,
            {},
            {},
            {},
            std::move(modules),
            options.overrides,
            std::move(resolved.warnings),
            {}};
  plan.decisions = search(problem, costs, options.policy, constraints.forced(), constraints.axis_rules());
  place(problem, plan.decisions, plan.placed);
  plan.work = share_work(problem, plan.placed);
  plan.cost = costs.of(plan.placed);
  for (Module& module : plan.modules) module.treatment = treatment_of(problem, plan.placed, module.nodes.front());
  return plan;
}

Plan single_rank_plan(const Graph& graph) {
  return make_plan(graph, {});
}

}  // namespace cleave::plan
