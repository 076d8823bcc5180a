#include "plan/work.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "plan/cost.h"

namespace cleave::plan {

using graph::Node;
using graph::NodeId;
using graph::Op;

namespace {

// Positions that a token at `position` of a sequence of `length` attends to, itself included.
int64_t attended(const graph::AttentionAttributes& attention, int64_t position, int64_t length) {
  if (!attention.causal) {
    const int64_t reach = attention.window > 0 ? attention.window : length;
    return std::min(position + reach, length) - std::max<int64_t>(position - reach + 1, 0);
  }
  int64_t count = position + 1;
  if (attention.window > 0) count = std::min(count, attention.window);
  if (attention.chunk > 0) count = std::min(count, position % attention.chunk + 1);
  return count;
}

// Multiplications of latent attention where `pairs` positions meet, for each head: those of the form that takes fewer.
// Keys and values may be made of the cached vectors of all positions; of new ones, that takes as much as making queries
// and results fit the cached vectors, which are products of their own. Nothing for other attention.
std::optional<double> latent_multiplications(const Problem& problem, NodeId id, double pairs, double past) {
  const graph::Graph& graph = problem.graph;
  const Node& q = graph.node(graph.node(id).inputs[0]);
  const std::vector<NodeId>& users = problem.facts(id).users;
  if (!graph::values_in_keys(graph, id) || q.op != Op::Concat || graph.node(q.inputs[0]).op != Op::BlockMatmul ||
      users.size() != 1 || graph.node(users[0]).op != Op::BlockMatmul)
    return std::nullopt;
  const auto dims = [&](NodeId node) { return static_cast<double>(graph.shape(node).back()); };
  const double unrotated = dims(graph.node(q.inputs[0]).inputs[0]), rotated = dims(q.inputs[1]), value = dims(users[0]);
  const double compressed = dims(graph.node(id).inputs[2]);
  return std::min(pairs * (2 * compressed + rotated),
                  pairs * (unrotated + rotated + value) + past * compressed * (unrotated + value));
}

void add_attention(const Problem& problem, NodeId id, const StepShape& shape, DType kv_type, StepWork& work) {
  const Node& node = problem.graph.node(id);
  const auto& attention = node.as<graph::AttentionAttributes>();
  const auto sequences = static_cast<double>(shape.sequences);
  const int64_t length = shape.past + shape.tokens;
  double pairs = 0;  // of a token and a position that it attends to, in one sequence
  for (int64_t i = 0; i < shape.tokens; ++i) pairs += static_cast<double>(attended(attention, shape.past + i, length));
  const auto width = [&](size_t input) { return static_cast<double>(problem.facts(node.inputs[input]).width); };
  // Queries are as wide as scores take multiplications; the result is as wide as weighted values do.
  const auto heads = static_cast<double>(problem.graph.shape(node.inputs[0])[1]);
  const double all = pairs * (width(0) + heads * static_cast<double>(problem.graph.shape(node.inputs[2]).back()));
  const std::optional<double> latent = latent_multiplications(problem, id, pairs, static_cast<double>(shape.past));
  work.attention_flops += 2 * sequences * (latent ? heads * *latent : all);
  if (!attention.causal) return;
  const int64_t first_read = shape.past + 1 - attended(attention, shape.past, length);
  const int64_t read = length - first_read;
  work.cache_bytes += sequences * static_cast<double>(read) * cache_bytes(problem, id, kNoAxis, 0, kv_type);
}

// Of `experts` equal ones, how many `tokens` tokens are expected to choose, with `slots` choices each.
double chosen_experts(double experts, double slots, double tokens) {
  return experts * (1 - std::pow(1 - std::min(1.0, slots / experts), tokens));
}

void add_product(const Problem& problem, NodeId weight, const NodeFacts& facts, const StepShape& shape,
                 StepWork& work) {
  const NodeFacts& weights = problem.facts(weight);
  const DTypeInfo& type = info(weights.stored);
  const auto tokens = static_cast<double>(shape.sequences * shape.tokens);
  double elements = static_cast<double>(weights.width), rows = tokens;
  if (facts.rows == Rows::OutputRows) rows = static_cast<double>(shape.sequences);
  double flops = 2 * elements * rows;
  if (facts.rows == Rows::Routed) {
    const auto experts = static_cast<double>(problem.graph.shape(weight)[0]);
    const auto slots = static_cast<double>(facts.slots);
    flops *= slots / experts;
    elements *= chosen_experts(experts, slots, tokens) / experts;
  }
  work.flops[weights.stored] += flops;
  work.weight_bytes += elements * static_cast<double>(type.block_bytes) / static_cast<double>(type.block_elements);
}

}  // namespace

StepWork& StepWork::operator+=(const StepWork& other) {
  weight_bytes += other.weight_bytes;
  cache_bytes += other.cache_bytes;
  for (const auto& [type, count] : other.flops) flops[type] += count;
  attention_flops += other.attention_flops;
  return *this;
}

StepWork step_work(const Problem& problem, const StepShape& shape, DType kv_type) {
  StepWork work;
  const std::vector<bool> needed = graph::needed_for(problem.graph, problem.graph.outputs().at(0));
  for (size_t i = 0; i < problem.nodes.size(); ++i) {
    const Node& node = problem.graph.nodes()[i];
    if (!needed[i] || !problem.nodes[i].work) continue;
    if (node.op == Op::Attention)
      add_attention(problem, static_cast<NodeId>(i), shape, kv_type, work);
    else if (is_product(problem, static_cast<NodeId>(i)))
      add_product(problem, node.inputs[1], problem.nodes[i], shape, work);
  }
  return work;
}

}  // namespace cleave::plan
