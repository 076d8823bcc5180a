#include "plan/cost.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace cleave::plan {

using graph::DimId;
using graph::Node;
using graph::NodeId;

namespace {

constexpr double kActivationBytes = 4;  // f32

// Share of a tensor that a rank holds.
double local_share(const Problem& problem, NodeId id, AxisId axis, int rank) {
  if (axis == kNoAxis) return 1;
  const graph::Dims& dims = problem.graph.dims();
  double share = 1;
  for (const DimId dim : problem.graph.node(id).dims) {
    if (dims.extent(dim) <= 0) continue;
    share *= static_cast<double>(problem.axes.local_extent(dims, dim, axis, problem.axes[axis].range(rank))) /
             static_cast<double>(dims.extent(dim));
  }
  return share;
}

// Expected number of balls in the fullest of `bins` bins when `balls` fall evenly: the experts that the busiest rank
// computes. P(no bin has more than m) = balls! [x^balls] (sum of x^i / i!, i <= m)^bins / bins^balls.
double expected_maximum(int64_t balls, int bins) {
  const auto k = static_cast<size_t>(balls);
  double expected = 0;
  for (size_t m = 0; m < k; ++m) {
    std::vector<double> power(k + 1, 0.0);
    power[0] = 1;
    for (int bin = 0; bin < bins; ++bin) {
      std::vector<double> next(k + 1, 0.0);
      for (size_t i = 0; i <= k; ++i) {
        double term = power[i];
        for (size_t j = 0; j <= m && i + j <= k; ++j) {
          next[i + j] += term;
          term /= static_cast<double>((j + 1) * static_cast<size_t>(bins));
        }
      }
      power = std::move(next);
    }
    expected += 1 - std::min(1.0, power[k] * std::tgamma(static_cast<double>(k) + 1));
  }
  return expected;
}

double stored_bytes(const Problem& problem, NodeId id) {
  const NodeFacts& facts = problem.facts(id);
  const DTypeInfo& type = info(facts.stored);
  return static_cast<double>(facts.width) * static_cast<double>(type.block_bytes) /
         static_cast<double>(type.block_elements);
}

// The rank that has most of an axis for its weight.
int slowest_rank(const Problem& problem, AxisId axis) {
  int slowest = 0;
  double most = -1;
  for (int rank = 0; rank < problem.ranks; ++rank) {
    const double share = axis == kNoAxis ? 1 : static_cast<double>(problem.axes[axis].range(rank).size());
    const double load = share / problem.rank_weights[static_cast<size_t>(rank)];
    if (load > most * (1 + 1e-9)) slowest = rank;
    most = std::max(most, load);
  }
  return slowest;
}

}  // namespace

Cost& Cost::operator+=(const Cost& other) {
  decode_seconds += other.decode_seconds;
  prefill_seconds += other.prefill_seconds;
  decode_exchange += other.decode_exchange;
  prefill_exchange += other.prefill_exchange;
  resident += other.resident;
  collectives += other.collectives;
  collective_bytes += other.collective_bytes;
  return *this;
}

double parameter_bytes(const Problem& problem, NodeId id, AxisId axis, int rank) {
  return stored_bytes(problem, id) * local_share(problem, id, axis, rank);
}

double cache_bytes(const Problem& problem, NodeId attention, AxisId axis, int rank, DType kv_type) {
  if (!problem.graph.node(attention).as<graph::AttentionAttributes>().cached()) return 0;
  const graph::Dims& dims = problem.graph.dims();
  const auto local = [&](DimId dim) {
    return axis == kNoAxis ? dims.extent(dim)
                           : problem.axes.local_extent(dims, dim, axis, problem.axes[axis].range(rank));
  };
  const int64_t scale = kv_type == DType::I8 ? sizeof(float) : 0;
  int64_t bytes = 0;
  for (const size_t operand : {1, 2}) {
    if (operand == 2 && graph::values_in_keys(problem.graph, attention)) continue;
    const std::vector<DimId>& kept = problem.graph.node(problem.graph.node(attention).inputs[operand]).dims;
    bytes += local(kept[1]) * (local(kept[2]) * info(kv_type).block_bytes + scale);
  }
  return static_cast<double>(bytes);
}

NodeCosts::NodeCosts(const Problem& problem, const CostModel& model) : problem_(problem), model_(model) {
  const double total = std::accumulate(problem.rank_weights.begin(), problem.rank_weights.end(), 0.0);
  mean_weight_ = total / problem.ranks;
  slowest_whole_ = slowest_rank(problem, kNoAxis);
  for (size_t a = 0; a < problem.axes.size(); ++a) slowest_.push_back(slowest_rank(problem, static_cast<AxisId>(a)));
  const size_t count = problem.nodes.size();
  choices_.resize(count);
  reduce_.resize(count);
  gather_.resize(count);
  statistic_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const NodeFacts& facts = problem.nodes[i];
    if (!facts.work) continue;
    const auto id = static_cast<NodeId>(i);
    choices_[i].push_back({kNoAxis, node_cost(id, kNoAxis)});
    for (const Use& use : facts.uses)
      if (use.role != Role::Whole) choices_[i].push_back({use.axis, node_cost(id, use.axis)});
    const double row = static_cast<double>(facts.width) * kActivationBytes;
    const double decode = row * step_rows(facts, false), prefill = row * step_rows(facts, true);
    reduce_[i] = exchange(decode, prefill, false);
    gather_[i] = exchange(decode, prefill, true);
    statistic_[i] =
        exchange(kActivationBytes * step_rows(facts, false), kActivationBytes * step_rows(facts, true), false);
  }
  find_shared();
}

void NodeCosts::find_shared() {
  std::map<std::pair<NodeId, graph::WeightUse>, std::vector<NodeId>> users;
  for (size_t i = 0; i < problem_.nodes.size(); ++i) {
    const Node& node = problem_.graph.nodes()[i];
    if (!problem_.nodes[i].work) continue;
    for (size_t operand = 0; operand < node.inputs.size(); ++operand)
      if (is_parameter(problem_, node.inputs[operand]))
        users[{node.inputs[operand], graph::weight_use(node.op, operand)}].push_back(static_cast<NodeId>(i));
  }
  for (auto& [key, nodes] : users) {
    if (nodes.size() < 2) continue;
    Shared shared{key.first, std::move(nodes), {}};
    for (const NodeId user : shared.users)
      for (const Choice& choice : choices_[static_cast<size_t>(user)])
        shared.bytes[choice.axis] =
            static_cast<int64_t>(parameter_bytes(problem_, shared.parameter, choice.axis, rank_of(choice.axis)));
    shared_.push_back(std::move(shared));
  }
}

// What the users but the first of each axis have added to Cost::resident.
int64_t NodeCosts::repeated_bytes(const Shared& shared, const Placed& placed) const {
  std::vector<AxisId> seen;
  int64_t bytes = 0;
  for (const NodeId user : shared.users) {
    const AxisId axis = input_axis(problem_, placed, user, shared.parameter);
    const auto counted = shared.bytes.find(placed[user].strategy);
    if (std::ranges::count(seen, axis) > 0)
      bytes += counted == shared.bytes.end() ? 0 : counted->second;
    else
      seen.push_back(axis);
  }
  return bytes;
}

double NodeCosts::seconds_per_byte() const {
  return 1 / rates_per_rank(model_.hardware, problem_.ranks, model_.threads_per_rank, "").read;
}

double NodeCosts::step_rows(const NodeFacts& facts, bool prefill) const {
  const double tokens = prefill ? static_cast<double>(model_.prompt_tokens) : 1;
  switch (facts.rows) {
    case Rows::Tokens:
      return tokens;
    case Rows::Routed:
      return tokens * static_cast<double>(facts.slots);
    case Rows::OutputRows:
    case Rows::Fixed:
      return 1;
  }
  return 1;
}

Cost NodeCosts::exchange(double decode_bytes, double prefill_bytes, bool gather) const {
  const auto seconds = [&](double bytes) {
    return gather ? all_gather_seconds(model_.hardware, problem_.ranks, bytes)
                  : all_reduce_seconds(model_.hardware, problem_.ranks, bytes);
  };
  Cost cost;
  cost.decode_exchange = cost.decode_seconds = seconds(decode_bytes);
  cost.prefill_exchange = cost.prefill_seconds = seconds(prefill_bytes);
  cost.collectives = 1;
  cost.collective_bytes = decode_bytes;
  return cost;
}

// One exchange of all their bytes.
Cost NodeCosts::joint_sum(const std::vector<NodeId>& nodes) const {
  double decode = 0, prefill = 0;
  for (const NodeId id : nodes) {
    const NodeFacts& facts = problem_.facts(id);
    const double row = static_cast<double>(facts.width) * kActivationBytes;
    decode += row * step_rows(facts, false);
    prefill += row * step_rows(facts, true);
  }
  return exchange(decode, prefill, false);
}

Cost NodeCosts::node_cost(NodeId id, AxisId axis) const {
  const Node& node = problem_.graph.node(id);
  const bool product = is_product(problem_, id);
  Cost cost;
  if (!product) cost.decode_seconds = model_.hardware.operation_seconds;
  for (const NodeId input : node.inputs) {
    if (!is_parameter(problem_, input)) continue;
    cost.resident += static_cast<int64_t>(parameter_bytes(problem_, input, axis, rank_of(axis)));
    if (product) cost += product_cost(id, input, axis);
  }
  if (std::holds_alternative<graph::AttentionAttributes>(node.attributes)) cost += cache_cost(id, axis);
  if (std::holds_alternative<graph::LinearAttentionAttributes>(node.attributes)) cost += state_cost(id, axis);
  return cost;
}

// Reading the weights that a token needs, and multiplying a prompt with them. Where whole experts are dealt out, a
// token needs those of its experts that the busiest rank has.
Cost NodeCosts::product_cost(NodeId id, NodeId weight, AxisId axis) const {
  const NodeFacts& facts = problem_.facts(id);
  const double bytes = parameter_bytes(problem_, weight, axis, rank_of(axis));
  const double share = local_share(problem_, weight, axis, rank_of(axis));
  double active = 1, calls = 1;  // share of the local weights that a token needs; products computed
  double per_row = 1;            // share of the local weights that a row of a prompt meets
  if (facts.rows == Rows::Routed) {
    const bool by_expert =
        axis != kNoAxis &&
        problem_.axes.in_dim(problem_.graph.dims(), problem_.graph.node(id).dims[0]) == std::vector{axis};
    const auto experts = static_cast<double>(problem_.graph.shape(weight)[0]);
    const double local = experts * (by_expert ? share : 1);
    calls = by_expert ? busiest_experts(facts.slots) : static_cast<double>(facts.slots);
    active = local > 0 ? std::min(1.0, calls / local) : 0;
    per_row = 1 / experts;
  }
  const double flops = 2 * static_cast<double>(problem_.facts(weight).width) * share * step_rows(facts, true) * per_row;
  const RankRates rates = rates_of(axis, std::string(to_string(problem_.facts(weight).stored)));
  Cost cost;
  cost.decode_seconds = bytes * active / rates.read + calls * model_.hardware.call_seconds;
  cost.prefill_seconds = std::max(flops / rates.flops, bytes / rates.read);
  return cost;
}

// Keys and values of the context, kept and read.
Cost NodeCosts::cache_cost(NodeId id, AxisId axis) const {
  const double kept =
      cache_bytes(problem_, id, axis, rank_of(axis), model_.kv_type) * static_cast<double>(model_.context);
  Cost cost;
  cost.resident = static_cast<int64_t>(kept);
  cost.decode_seconds = kept / rates_of(axis, "").read;
  return cost;
}

// The state of one sequence, read and written.
Cost NodeCosts::state_cost(NodeId id, AxisId axis) const {
  const graph::DimId keys = problem_.graph.node(problem_.graph.node(id).inputs[1]).dims.back();
  const double state = static_cast<double>(problem_.facts(id).width * problem_.graph.dims().extent(keys)) *
                       kActivationBytes * local_share(problem_, id, axis, rank_of(axis));
  Cost cost;
  cost.resident = static_cast<int64_t>(state);
  cost.decode_seconds = 2 * state / rates_of(axis, "").read;
  return cost;
}

// Of the slowest rank of an axis, for its weight.
RankRates NodeCosts::rates_of(AxisId axis, const std::string& format) const {
  RankRates rates = rates_per_rank(model_.hardware, problem_.ranks, model_.threads_per_rank, format);
  const double speed = problem_.rank_weights[static_cast<size_t>(rank_of(axis))] / mean_weight_;
  rates.read *= speed;
  rates.flops *= speed;
  return rates;
}

double NodeCosts::busiest_experts(int64_t slots) const {
  const auto [found, fresh] = busiest_.emplace(slots, 0.0);
  if (fresh) found->second = expected_maximum(slots, problem_.ranks);
  return found->second;
}

Cost NodeCosts::of(const Placed& placed) const {
  Cost total;
  for (size_t i = 0; i < choices_.size(); ++i) {
    if (choices_[i].empty()) continue;
    const NodePlacement& node = placed.nodes[i];
    for (const Choice& choice : choices_[i])
      if (choice.axis == node.strategy) total += choice.cost;
    if (node.reduced && node.joint < 0) total += reduce_[i];
    if (node.gathered) total += gather_[i];
    if (node.strategy != kNoAxis && problem_.nodes[i].role(node.strategy) == Role::Statistic) total += statistic_[i];
  }
  for (const std::vector<NodeId>& nodes : placed.joint) total += joint_sum(nodes);
  for (const Shared& shared : shared_) total.resident -= repeated_bytes(shared, placed);
  return total;
}

}  // namespace cleave::plan
