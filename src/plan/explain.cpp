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

class Explainer {
 public:
  Explainer(const Graph& graph, const Plan& plan, const Request& request)
      : graph_(graph),
        plan_(plan),
        problem_(make_problem(graph, plan.rank_weights, request.stored)),
        kv_type_(request.cost.kv_type) {
    result_.ranks = plan.ranks;
    sources_.resize(graph.nodes().size());
  }

  Explanation run() {
    for (size_t m = 0; m < plan_.modules.size(); ++m) {
      add_module(plan_.modules[m]);
      for (const NodeId id : plan_.modules[m].nodes) module_of_[id] = m;
    }
    for (size_t i = 0; i < graph_.nodes().size(); ++i)
      if (problem_.nodes[i].work) find_sources(static_cast<NodeId>(i));
    for (size_t i = 0; i < graph_.nodes().size(); ++i)
      if (problem_.nodes[i].work) add_exchanges(static_cast<NodeId>(i));
    count_weights();
    for (const ExchangeRow& row : result_.exchanges) {
      result_.collectives += row.count;
      result_.collective_bytes += row.count * row.bytes_per_token;
    }
    return std::move(result_);
  }

 private:
  AxisId strategy(NodeId id) const { return plan_.placed.strategy[static_cast<size_t>(id)]; }

  std::string why(const Module& module, NodeId id) const {
    if (module.decision) {
      const Override& override = plan_.overrides[module.decision->override];
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
    if (plan_.ranks == 1) return "one rank";
    const NodeId weight = graph_.node(id).inputs[1];
    for (const Use& use : problem_.facts(id).uses)
      if (use.role != Role::Whole && problem_.facts(weight).has(use.axis))
        return "a split would cost more than it saves";
    return "cannot be split";
  }

  void add_module(const Module& module) {
    const NodeId id = module.nodes.front();
    ModuleRow row{stars_for_numbers(module.info.name), 1, module.treatment, "", why(module, id), {}};
    if (strategy(id) != kNoAxis) row.axis = problem_.axes[strategy(id)].label;
    std::set<std::pair<NodeId, AxisId>> parts;  // of weights; several nodes may use the same one
    for (const NodeId node : module.nodes) parts.emplace(graph_.node(node).inputs[1], strategy(node));
    for (int rank = 0; rank < plan_.ranks; ++rank) {
      double bytes = 0;
      for (const auto& [weight, axis] : parts) bytes += parameter_bytes(problem_, weight, axis, rank);
      row.bytes.push_back(static_cast<int64_t>(bytes));
    }
    for (ModuleRow& known : result_.modules)
      if (known.pattern == row.pattern && known.treatment == row.treatment && known.axis == row.axis &&
          known.why == row.why && known.bytes == row.bytes) {
        ++known.count;
        return;
      }
    result_.modules.push_back(std::move(row));
  }

  // The modules whose sums or parts a node's result is about.
  void find_sources(NodeId id) {
    std::set<std::string>& sources = sources_[static_cast<size_t>(id)];
    if (const auto found = module_of_.find(id); found != module_of_.end())
      sources.insert(stars_for_numbers(plan_.modules[found->second].info.name));
    else
      for (const NodeId input : graph_.node(id).inputs)
        if (problem_.facts(input).work && !plan_.placed.reduced[static_cast<size_t>(input)] &&
            (same_placement(input, id) || sums(id)))
          sources.insert(sources_[static_cast<size_t>(input)].begin(), sources_[static_cast<size_t>(input)].end());
  }

  int64_t row_bytes(NodeId id) const { return problem_.facts(id).width * problem_.facts(id).slots * 4; }

  // Exchanges behind a node; those of several nodes behind the first.
  void add_exchanges(NodeId id) {
    const auto i = static_cast<size_t>(id);
    const std::set<std::string>& sources = sources_[i];
    if (plan_.placed.reduced[i]) add_sum(id);
    if (plan_.placed.gathered[i])
      add_exchange(problem_.nodes[i].users.empty() ? "gather" : "all-gather", sources, row_bytes(id));
    if (strategy(id) != kNoAxis && problem_.nodes[i].role(strategy(id)) == Role::Statistic)
      add_exchange("all-reduce (statistic)", sources, 4);
  }

  void add_sum(NodeId id) {
    const int32_t joint = plan_.placed.joint_of[static_cast<size_t>(id)];
    const std::vector<NodeId> nodes = joint < 0 ? std::vector{id} : plan_.placed.joint[static_cast<size_t>(joint)];
    if (id != nodes.front()) return;
    std::set<std::string> sources;
    int64_t bytes = 0;
    for (const NodeId node : nodes) {
      sources.insert(sources_[static_cast<size_t>(node)].begin(), sources_[static_cast<size_t>(node)].end());
      bytes += row_bytes(node);
    }
    add_exchange("all-reduce", sources, bytes);
  }

  bool sums(NodeId id) const { return strategy(id) != kNoAxis && problem_.facts(id).role(strategy(id)) == Role::Sum; }

  bool same_placement(NodeId a, NodeId b) const {
    return plan_.placed.result[static_cast<size_t>(a)] == plan_.placed.result[static_cast<size_t>(b)];
  }

  void add_exchange(const std::string& kind, const std::set<std::string>& of, int64_t bytes) {
    const std::string names = fmt::format("{}", fmt::join(of, " + "));
    for (ExchangeRow& row : result_.exchanges)
      if (row.kind == kind && row.of == names && row.bytes_per_token == bytes) {
        ++row.count;
        return;
      }
    result_.exchanges.push_back({kind, names, 1, bytes});
  }

  // What each rank reads: every part of a parameter once for each way in which it is used. What is added to a sum that
  // is still owed is rank 0's alone.
  void count_weights() {
    result_.weight_bytes.assign(static_cast<size_t>(plan_.ranks), 0);
    result_.cache_bytes_per_token = result_.weight_bytes;
    std::set<std::tuple<NodeId, AxisId, graph::WeightUse>> counted;
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      const auto id = static_cast<NodeId>(i);
      const Node& node = graph_.node(id);
      if (node.op == Op::Weight) count_whole(id);
      if (!problem_.nodes[i].work) continue;
      for (size_t operand = 0; operand < node.inputs.size(); ++operand) {
        const NodeId input = node.inputs[operand];
        if (!is_parameter(problem_, input)) continue;
        const AxisId axis = wanted(problem_, plan_.placed, id, input).axis;
        const graph::WeightUse use = graph::weight_use(node.op, operand);
        if (!counted.emplace(input, axis, use).second) continue;
        const int last = added_once(id) ? 1 : plan_.ranks;
        for (int rank = 0; rank < last; ++rank)
          if (!idle(id, rank))
            result_.weight_bytes[static_cast<size_t>(rank)] +=
                std::llround(parameter_bytes(problem_, input, axis, rank));
      }
      if (node.op == Op::Attention) count_cache(id);
    }
  }

  bool added_once(NodeId id) const {
    return graph_.node(id).op == Op::Add && strategy(id) == kNoAxis &&
           plan_.placed.result[static_cast<size_t>(id)].partial;
  }

  bool idle(NodeId id, int rank) const {
    const AxisId axis = strategy(id);
    if (axis == kNoAxis || problem_.facts(id).role(axis) == Role::Statistic) return false;
    const Interval range = problem_.axes[axis].range(rank);
    if (problem_.facts(id).role(axis) == Role::Sum) return range.size() == 0;
    return std::ranges::any_of(graph_.node(id).dims, [&](graph::DimId dim) {
      return graph_.dims().extent(dim) != graph::kDynamic &&
             problem_.axes.local_extent(graph_.dims(), dim, axis, range) == 0;
    });
  }

  void count_whole(NodeId id) {
    result_.parameters += problem_.facts(id).width;
    result_.stored_bytes += static_cast<int64_t>(parameter_bytes(problem_, id, kNoAxis, 0));
  }

  void count_cache(NodeId id) {
    for (int rank = 0; rank < plan_.ranks; ++rank)
      if (!idle(id, rank))
        result_.cache_bytes_per_token[static_cast<size_t>(rank)] +=
            static_cast<int64_t>(cache_bytes(problem_, id, strategy(id), rank, kv_type_));
  }

  const Graph& graph_;
  const Plan& plan_;
  const Problem problem_;
  const DType kv_type_;
  Explanation result_;
  std::map<NodeId, size_t> module_of_;
  std::vector<std::set<std::string>> sources_;  // by node: modules whose sum or part it is
};

std::string bytes_text(int64_t bytes) {
  return format_bytes(static_cast<double>(bytes));
}

std::string range_text(const std::vector<int64_t>& bytes) {
  const auto [least, most] = std::ranges::minmax(bytes);
  return least == most ? bytes_text(most) : fmt::format("{} - {}", bytes_text(least), bytes_text(most));
}

/// Rows of cells, columns as wide as their widest cell.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) line += fmt::format("{:{}}  ", row[c], widths[c]);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return out;
}

}  // namespace

Explanation explain(const Graph& graph, const Plan& plan, const Request& request) {
  return Explainer(graph, plan, request).run();
}

std::string text(const Explanation& e) {
  std::vector<std::vector<std::string>> modules = {
      {"MODULE", "COUNT", "PLACEMENT", "SPLIT BY", "EACH, PER RANK", "WHY"}};
  for (const ModuleRow& row : e.modules)
    modules.push_back({row.pattern, std::to_string(row.count),
                       row.treatment == Treatment::Keep ? "whole" : std::string(to_string(row.treatment)),
                       row.axis.empty() ? "-" : row.axis, range_text(row.bytes), row.why});
  std::string out = table(modules);
  if (!e.exchanges.empty()) {
    std::vector<std::vector<std::string>> exchanges = {{"EXCHANGE", "COUNT", "EACH, PER TOKEN", "OF"}};
    for (const ExchangeRow& row : e.exchanges)
      exchanges.push_back({row.kind, std::to_string(row.count), bytes_text(row.bytes_per_token), row.of});
    out += '\n' + table(exchanges);
  }
  out += fmt::format("\nweights {} ({} parameters); per rank {}\n", bytes_text(e.stored_bytes), e.parameters,
                     range_text(e.weight_bytes));
  out += fmt::format("cache per token and rank {}; {} exchanges of {} in all per token\n",
                     range_text(e.cache_bytes_per_token), e.collectives, bytes_text(e.collective_bytes));
  return out;
}

Json to_json(const Explanation& e) {
  Json modules = Json::array(), exchanges = Json::array();
  for (const ModuleRow& row : e.modules)
    modules.push_back({{"module", row.pattern},
                       {"count", row.count},
                       {"placement", to_string(row.treatment)},
                       {"split_by", row.axis},
                       {"why", row.why},
                       {"bytes_per_rank", row.bytes}});
  for (const ExchangeRow& row : e.exchanges)
    exchanges.push_back(
        {{"kind", row.kind}, {"of", row.of}, {"count", row.count}, {"bytes_per_token", row.bytes_per_token}});
  return {{"ranks", e.ranks},
          {"modules", modules},
          {"exchanges", exchanges},
          {"parameters", e.parameters},
          {"stored_bytes", e.stored_bytes},
          {"weight_bytes_per_rank", e.weight_bytes},
          {"cache_bytes_per_token_and_rank", e.cache_bytes_per_token},
          {"collectives_per_step", e.collectives},
          {"collective_bytes_per_token", e.collective_bytes}};
}

std::vector<Prediction> predict(const Graph& graph, const Request& request, const std::vector<int>& ranks) {
  std::vector<Prediction> predictions;
  for (const int count : ranks) {
    Request other = request;
    if (static_cast<size_t>(count) != request.rank_weights.size())
      other.rank_weights.assign(static_cast<size_t>(count), 1.0);
    const Plan plan = make_plan(graph, other);
    const bool exchanges = plan.cost.decode_exchange > plan.cost.decode_seconds / 2;
    predictions.push_back({count, plan.cost, exchanges ? "exchanges" : "reading weights and cache"});
  }
  return predictions;
}

}  // namespace cleave::plan
