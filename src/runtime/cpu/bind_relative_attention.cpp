#include "runtime/cpu/bind_relative_attention.h"

#include <vector>

#include "kernels/attention/relative_attention.h"
#include "kernels/rows/centered_conv.h"

namespace cleave::runtime::cpu {

using lower::Instruction;

namespace {

const graph::AttentionAttributes& attributes_of(const Instruction& i) {
  return std::get<graph::AttentionAttributes>(i.attributes);
}

// Without what the workspace holds.
kernels::RelativeAttentionParams sizes_of(const Instruction& i) {
  const graph::AttentionAttributes& a = attributes_of(i);
  kernels::RelativeAttentionParams params;
  params.heads = i.output_shape[0];
  params.value_dim = i.output_shape[1];
  params.key_dim = i.input_shapes[0].back();
  params.scale = static_cast<float>(a.scale);
  params.angle_power = a.angle_power;
  if (a.tables() > 0) params.num_rows = i.input_shapes[3][0];
  return params;
}

}  // namespace

bool is_relative_attention(const graph::AttentionAttributes& a) {
  return a.position_keys || a.position_queries || a.angle_power > 0;
}

BoundInstruction bind_relative_attention(const Instruction& i, const Workspace& w) {
  const graph::AttentionAttributes& a = attributes_of(i);
  kernels::RelativeAttentionParams params = sizes_of(i);
  size_t operand = 3;
  if (a.position_keys) params.position_keys = w.numbers(i.inputs[operand++]);
  if (a.position_queries) params.position_queries = w.numbers(i.inputs[operand]);
  return [&w, q = w.numbers(i.inputs[0]), k = w.numbers(i.inputs[1]), v = w.numbers(i.inputs[2]), y = w.value(i.output),
          params, rows = std::vector<int32_t>(a.distance_rows.begin(), a.distance_rows.end())]() mutable {
    params.rows = rows;
    kernels::relative_attention(q, k, v, w.state.spans(), params, y, w.scratch, w.pool);
  };
}

size_t relative_attention_scratch_bytes(const Instruction& i, const Workspace& w) {
  return kernels::relative_attention_scratch_bytes(sizes_of(i), w.program.limits.max_tokens, w.pool.size());
}

BoundInstruction bind_centered_conv(const Instruction& i, const Workspace& w) {
  return [&w, &i, x = w.numbers(i.inputs[0]), weight = w.numbers(i.inputs[1]), y = w.value(i.output)] {
    kernels::centered_conv(x, w.state.spans(), i.output_shape[0], i.output_shape[1], i.input_shapes[1][1], weight, y,
                           w.pool);
  };
}

}  // namespace cleave::runtime::cpu
