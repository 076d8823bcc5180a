#include "plan/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/strings.h"

namespace cleave::plan {

using graph::Graph;
using graph::Node;
using graph::NodeId;
using graph::Op;

namespace {

/// What is explained.
struct Subject {
  const Graph& graph;
  const Plan& plan;
  const Problem problem;

  AxisId strategy(NodeId id) const { return plan.placed[id].strategy; }
  const NodeWork& work(NodeId id) const { return plan.work[static_cast<size_t>(id)]; }
  bool is_idle(NodeId id, int rank) const { return work(id).idle[static_cast<size_t>(rank)]; }
};

// ---- modules

std::string why_kept(const Subject& s, NodeId id) {
  if (s.plan.ranks == 1) return "one rank";
  const NodeId weight = s.graph.node(id).inputs[1];
  for (const Use& use : s.problem.facts(id).uses)
    if (use.role != Role::Whole && s.problem.facts(weight).has(use.axis))
      return "a split would cost more than it saves";
  return "cannot be split";
}

std::string why(const Subject& s, const Module& module) {
  if (module.decision) {
    const Override& override = s.plan.overrides[module.decision->override];
    return fmt::format("{} {}{}", override.origin.where, override.pattern,
                       module.remark.empty() ? "" : " (" + module.remark + ")");
  }
  switch (module.treatment) {
    case Treatment::Row:
      return module.info.kind == ModuleInfo::Kind::Embedding ? "each rank looks up its rows; a sum is owed"
                                                             : "each rank sums over its part; a sum is owed";
    case Treatment::Column:
      return "each rank computes its part";
    case Treatment::ByExpert:
      return "each rank computes its experts";
    case Treatment::Keep:
    case Treatment::InsideExperts:
      break;
  }
  return why_kept(s, module.nodes.front());
}

// By rank; a weight that several of the module's nodes use in the same way counts once.
std::vector<int64_t> module_bytes(const Subject& s, const Module& module) {
  std::set<std::pair<NodeId, AxisId>> parts;
  for (const NodeId node : module.nodes) parts.emplace(s.graph.node(node).inputs[1], s.strategy(node));
  std::vector<int64_t> all;
  for (int rank = 0; rank < s.plan.ranks; ++rank) {
    double bytes = 0;
    for (const auto& [weight, axis] : parts) bytes += parameter_bytes(s.problem, weight, axis, rank);
    all.push_back(static_cast<int64_t>(bytes));
  }
  return all;
}

void add_module(const Subject& s, const Module& module, std::vector<ModuleRow>& rows) {
  ModuleRow row{stars_for_numbers(module.info.name), 1, module.treatment, "", why(s, module), module_bytes(s, module)};
  if (const AxisId axis = s.strategy(module.nodes.front()); axis != kNoAxis) row.axis = s.problem.axes[axis].label;
  const auto known = std::ranges::find_if(rows, [&](const ModuleRow& r) {
    return r.pattern == row.pattern && r.treatment == row.treatment && r.axis == row.axis && r.why == row.why &&
           r.bytes == row.bytes;
  });
  if (known == rows.end())
    rows.push_back(std::move(row));
  else
    ++known->count;
}

// ---- exchanges

/// Lists what is exchanged behind nodes, and of which modules' results.
class Exchanges {
 public:
  explicit Exchanges(const Subject& s) : s_(s), sources_(s.graph.nodes().size()) {
    for (size_t m = 0; m < s.plan.modules.size(); ++m)
      for (const NodeId id : s.plan.modules[m].nodes) module_of_[id] = m;
  }

  std::vector<ExchangeRow> run() {
    const auto count = static_cast<NodeId>(s_.graph.nodes().size());
    for (NodeId id = 0; id < count; ++id)
      if (s_.problem.facts(id).work) find_sources(id);
    for (NodeId id = 0; id < count; ++id)
      if (s_.problem.facts(id).work) add_behind(id);
    return std::move(rows_);
  }

 private:
  using Names = std::set<std::string>;

  // The modules whose sums or parts a node's result is about.
  void find_sources(NodeId id) {
    Names& sources = sources_[static_cast<size_t>(id)];
    if (const auto found = module_of_.find(id); found != module_of_.end()) {
      sources.insert(stars_for_numbers(s_.plan.modules[found->second].info.name));
      return;
    }
    for (const NodeId input : s_.graph.node(id).inputs)
      if (s_.problem.facts(input).work && !s_.plan.placed[input].reduced && (same_placement(input, id) || sums(id)))
        sources.insert(sources_of(input).begin(), sources_of(input).end());
  }

  void add_behind(NodeId id) {
    if (s_.plan.placed[id].reduced) add_sum(id);
    if (s_.plan.placed[id].gathered)
      add(s_.problem.facts(id).users.empty() ? "gather" : "all-gather", sources_of(id), row_bytes(id));
    if (s_.work(id).statistic) add("all-reduce (statistic)", sources_of(id), 4);
  }

  // An exchange of several nodes' sums counts behind the first.
  void add_sum(NodeId id) {
    const int32_t joint = s_.plan.placed[id].joint;
    const std::vector<NodeId> nodes = joint < 0 ? std::vector{id} : s_.plan.placed.joint[static_cast<size_t>(joint)];
    if (id != nodes.front()) return;
    Names sources;
    int64_t bytes = 0;
    for (const NodeId node : nodes) {
      sources.insert(sources_of(node).begin(), sources_of(node).end());
      bytes += row_bytes(node);
    }
    add("all-reduce", sources, bytes);
  }

  void add(const std::string& kind, const Names& of, int64_t bytes) {
    const std::string names = fmt::format("{}", fmt::join(of, " + "));
    for (ExchangeRow& row : rows_)
      if (row.kind == kind && row.of == names && row.bytes_per_token == bytes) {
        ++row.count;
        return;
      }
    rows_.push_back({kind, names, 1, bytes});
  }

  const Names& sources_of(NodeId id) const { return sources_[static_cast<size_t>(id)]; }
  int64_t row_bytes(NodeId id) const { return s_.problem.facts(id).width * s_.problem.facts(id).slots * 4; }
  bool same_placement(NodeId a, NodeId b) const { return s_.plan.placed[a].result == s_.plan.placed[b].result; }
  bool sums(NodeId id) const {
    return s_.strategy(id) != kNoAxis && s_.problem.facts(id).role(s_.strategy(id)) == Role::Sum;
  }

  const Subject& s_;
  std::map<NodeId, size_t> module_of_;
  std::vector<Names> sources_;  // by node: modules whose sum or part it is
  std::vector<ExchangeRow> rows_;
};

// ---- memory

/// Parameters that a rank has read: the part of one that an axis gives, in one use, is read once.
using Counted = std::set<std::tuple<NodeId, AxisId, graph::WeightUse>>;

// What is added to a sum that is still owed is rank 0's alone.
int64_t weight_bytes(const Subject& s, int rank) {
  Counted counted;
  int64_t bytes = 0;
  for (size_t i = 0; i < s.graph.nodes().size(); ++i) {
    const auto id = static_cast<NodeId>(i);
    const Node& node = s.graph.node(id);
    if (!s.problem.facts(id).work || s.is_idle(id, rank) || (s.work(id).added_once && rank != 0)) continue;
    for (size_t operand = 0; operand < node.inputs.size(); ++operand) {
      const NodeId input = node.inputs[operand];
      const AxisId axis = s.work(id).inputs[operand];
      if (is_parameter(s.problem, input) && counted.emplace(input, axis, graph::weight_use(node.op, operand)).second)
        bytes += std::llround(parameter_bytes(s.problem, input, axis, rank));
    }
  }
  return bytes;
}

int64_t cache_bytes_per_token(const Subject& s, int rank, DType kv_type) {
  int64_t bytes = 0;
  for (size_t i = 0; i < s.graph.nodes().size(); ++i) {
    const auto id = static_cast<NodeId>(i);
    if (s.graph.node(id).op == Op::Attention && s.problem.facts(id).work && !s.is_idle(id, rank))
      bytes += static_cast<int64_t>(cache_bytes(s.problem, id, s.strategy(id), rank, kv_type));
  }
  return bytes;
}

}  // namespace

Explanation explain(const Graph& graph, const Plan& plan, const PlanOptions& options) {
  const Subject s{graph, plan, make_problem(graph, plan.rank_weights, options.stored)};
  Explanation e;
  e.ranks = plan.ranks;
  for (const Module& module : plan.modules) add_module(s, module, e.modules);
  e.exchanges = Exchanges(s).run();
  for (int rank = 0; rank < plan.ranks; ++rank) {
    e.weight_bytes.push_back(weight_bytes(s, rank));
    e.cache_bytes_per_token.push_back(cache_bytes_per_token(s, rank, options.cost.kv_type));
  }
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    if (graph.nodes()[i].op != Op::Weight) continue;
    e.parameters += s.problem.nodes[i].width;
    e.stored_bytes += static_cast<int64_t>(parameter_bytes(s.problem, static_cast<NodeId>(i), kNoAxis, 0));
  }
  for (const ExchangeRow& row : e.exchanges) {
    e.collectives += row.count;
    e.collective_bytes += row.count * row.bytes_per_token;
  }
  return e;
}

std::vector<Prediction> predict(const Graph& graph, const PlanOptions& options, const std::vector<int>& ranks) {
  std::vector<Prediction> predictions;
  for (const int count : ranks) {
    PlanOptions other = options;
    if (static_cast<size_t>(count) != options.rank_weights.size())
      other.rank_weights.assign(static_cast<size_t>(count), 1.0);
    const Plan plan = make_plan(graph, other);
    const bool exchanges = plan.cost.decode_exchange > plan.cost.decode_seconds / 2;
    predictions.push_back({count, plan.cost, exchanges ? "exchanges" : "reading weights and cache"});
  }
  return predictions;
}

}  // namespace cleave::plan
