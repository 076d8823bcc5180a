#include "lower/localize.h"

#include <algorithm>
#include <array>

#include "graph/rows.h"
#include "lower/broadcast.h"

namespace cleave::lower {

using graph::Node;
using graph::NodeId;
using graph::Op;

namespace {

/// An instruction that is being localised, and what goes with it.
struct Local {
  const Part& part;
  Instruction& i;
  ProgramBuilder& program;
  RankPrograms& memory;

  const Node& node() const { return part.graph().node(i.node); }
  const Node& input(size_t n) const { return part.graph().node(node().inputs[n]); }
  plan::AxisId strategy() const { return part.strategy(i.node); }
  plan::AxisId input_axis(size_t n) const { return part.input_axis(i.node, node().inputs[n]); }
};

void nothing(Local&) {}

void keep_state(RankPrograms& memory, int state, int64_t numbers) {
  const auto index = static_cast<size_t>(state);
  if (memory.states.size() <= index) memory.states.resize(index + 1);
  memory.states[index] = std::max(memory.states[index], numbers);
}

// Where the slice begins among the indices that the rank has.
void slice(Local& l) {
  auto& slice = std::get<graph::SliceAttributes>(l.i.attributes);
  const auto dim = static_cast<size_t>(slice.dim);
  int64_t before = 0;
  for (const plan::Interval& i : l.part.indices(l.input(0).dims[dim], l.input_axis(0)))
    before += std::max<int64_t>(0, std::min(i.end, slice.begin) - i.begin);
  slice.begin = before;
  slice.end = before + l.i.output_shape[dim - graph::num_row_dims(graph::rows_of(l.part.graph(), l.i.node))];
}

void embedding(Local& l) {
  const graph::DimId rows = l.input(1).dims[0];
  l.i.payload = LookUp{l.part.first_index(rows, l.input_axis(1)), l.part.graph().dims().extent(rows)};
}

void elementwise(Local& l) {
  l.i.payload = broadcast_of(l.part, l.i.node, l.i.input_shapes[0], l.i.input_shapes[1]);
}

void norm(Local& l) {
  const int64_t whole = l.part.graph().dims().extent(l.node().dims.back());
  l.i.payload = Norm{l.part.work(l.i.node).statistic ? whole : 0};
}

void rope(Local& l) {
  l.i.payload = Rotate{l.program.rope_table(std::get<graph::RopeAttributes>(l.i.attributes))};
}

// Heads that come in groups, each of which shares a head of `shared`: where the rank's heads begin in the first group.
// It may also have a part of every group, where layers share keys and values but not their axis of heads.
Attend groups(const Local& l, size_t heads, size_t shared) {
  const graph::DimId head_dim = l.input(heads).dims[1], shared_dim = l.input(shared).dims[1];
  const auto count = [&](size_t input) { return l.part.row_shape(l.node().inputs[input], l.strategy())[0]; };
  if (l.part.indices(head_dim, l.strategy()).size() > 1) return {0, count(heads) / count(shared)};
  const graph::Dims& dims = l.part.graph().dims();
  const int64_t group = dims.extent(head_dim) / dims.extent(shared_dim);
  const int64_t first = l.part.first_index(head_dim, l.strategy());
  return {first - l.part.first_index(shared_dim, l.strategy()) * group, group};
}

// The rank's query heads are those of its range; its key-value heads those that they need. ALiBi slopes go by head.
void attention(Local& l) {
  l.i.payload = groups(l, 0, 1);
  auto& attributes = std::get<graph::AttentionAttributes>(l.i.attributes);
  if (!attributes.alibi_slopes.empty()) {
    std::vector<double> slopes;
    for (const plan::Interval& i : l.part.indices(l.input(0).dims[1], l.strategy()))
      slopes.insert(slopes.end(), attributes.alibi_slopes.begin() + i.begin, attributes.alibi_slopes.begin() + i.end);
    attributes.alibi_slopes = std::move(slopes);
  }
  if (!attributes.cached()) return;
  const auto layer = static_cast<size_t>(attributes.layer);
  if (l.memory.kv_layers.size() <= layer) l.memory.kv_layers.resize(layer + 1);
  const Shape &keys = l.i.input_shapes[1], &values = l.i.input_shapes[2];
  l.memory.kv_layers[layer] = {keys[0], keys[1], values[1], graph::values_in_keys(l.part.graph(), l.i.node)};
}

// The values before a token that its channel still needs.
void causal_conv(Local& l) {
  const Shape& weight = l.i.input_shapes[1];
  keep_state(l.memory, std::get<graph::StateAttributes>(l.i.attributes).state, weight[0] * (weight[1] - 1));
}

void linear_attention(Local& l) {
  l.i.payload = groups(l, 2, 0);
  const Shape &keys = l.i.input_shapes[1], &values = l.i.input_shapes[2];
  keep_state(l.memory, std::get<graph::LinearAttentionAttributes>(l.i.attributes).state,
             values[0] * keys[1] * values[1]);
}

void linear_recurrence(Local& l) {
  keep_state(l.memory, std::get<graph::StateAttributes>(l.i.attributes).state, l.i.input_shapes[0][0]);
}

struct Row {
  Op op;
  void (*localize)(Local&);
};

// In the order of Op.
constexpr std::array<Row, graph::kNumOps> kTable = {{
    {Op::Input, nothing},
    {Op::Weight, nothing},
    {Op::Slice, slice},
    {Op::Reshape, nothing},
    {Op::Transpose, nothing},
    {Op::Concat, nothing},
    {Op::Embedding, embedding},
    {Op::GatherRows, nothing},
    {Op::GatherColumns, nothing},
    {Op::Matmul, nothing},
    {Op::Add, elementwise},
    {Op::Mul, elementwise},
    {Op::Div, elementwise},
    {Op::Scale, nothing},
    {Op::Unary, nothing},
    {Op::Sum, nothing},
    {Op::RmsNorm, norm},
    {Op::LayerNorm, norm},
    {Op::Rope, rope},
    {Op::Attention, attention},
    {Op::Softmax, nothing},
    {Op::TopK, nothing},
    {Op::Take, nothing},
    {Op::Dispatch, nothing},
    {Op::Combine, nothing},
    {Op::Shift, nothing},
    {Op::Clamp, nothing},
    {Op::ToReal, nothing},
    {Op::Sinusoid, nothing},
    {Op::BlockMatmul, nothing},
    {Op::CausalConv, causal_conv},
    {Op::CenteredConv, nothing},
    {Op::LinearAttention, linear_attention},
    {Op::LinearRecurrence, linear_recurrence},
}};
static_assert(graph::is_table_of_ops(kTable));

}  // namespace

void localize(const Part& part, Instruction& instruction, ProgramBuilder& program, RankPrograms& memory) {
  Local local{part, instruction, program, memory};
  kTable[static_cast<size_t>(instruction.op)].localize(local);
}

void reserve_state(const Node& node, RankPrograms& memory) {
  if (const auto* a = std::get_if<graph::StateAttributes>(&node.attributes)) keep_state(memory, a->state, 0);
  if (const auto* a = std::get_if<graph::LinearAttentionAttributes>(&node.attributes)) keep_state(memory, a->state, 0);
}

}  // namespace cleave::lower
