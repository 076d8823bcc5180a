#include "runtime/cpu/bind_recurrent.h"

#include <utility>

#include "kernels/recurrent/recurrent.h"

namespace cleave::runtime::cpu {

using lower::Instruction;

namespace {

// x [rows, columns] as [columns, rows].
std::vector<float> transposed(const float* x, int64_t rows, int64_t columns) {
  std::vector<float> y;
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t r = 0; r < rows; ++r) y.push_back(x[r * columns + c]);
  return y;
}

}  // namespace

BoundInstruction bind_causal_conv(const Instruction& i, const Workspace& w) {
  const int64_t channels = i.input_shapes[1][0], width = i.input_shapes[1][1];
  const float* x = w.numbers(i.inputs[0]);
  float* y = w.value(i.output);
  const kernels::States states = w.states.of(std::get<graph::StateAttributes>(i.attributes).state);
  return [&w, x, y, channels, width, states, weight = transposed(w.numbers(i.inputs[1]), channels, width)] {
    kernels::causal_conv(x, w.state.spans(), {channels, width, weight.data()}, states, y, w.pool);
  };
}

BoundInstruction bind_linear_attention(const Instruction& i, const Workspace& w) {
  const auto& attributes = std::get<graph::LinearAttentionAttributes>(i.attributes);
  const Shape &k = i.input_shapes[1], &v = i.input_shapes[2], &a = i.input_shapes[3];
  const auto& heads = i.as<lower::Attend>();
  kernels::LinearAttentionParams params{v[0], k[0],    heads.group, heads.first_head, k[1],
                                        v[1], nullptr, a[1],        attributes.delta};
  const kernels::LinearAttentionInput input{w.numbers(i.inputs[0]), w.numbers(i.inputs[1]), w.numbers(i.inputs[2]),
                                            attributes.rate ? w.numbers(i.inputs[4]) : nullptr,
                                            attributes.delta ? w.numbers(i.inputs.back()) : nullptr};
  const float* numbers = w.numbers(i.inputs[3]);
  std::vector<float> decays = kernels::uses_channels(params)
                                  ? transposed(numbers, params.heads, params.a_size)
                                  : std::vector<float>(numbers, numbers + params.heads * params.a_size);
  float* y = w.value(i.output);
  return [&w, input, params, y, states = w.states.of(attributes.state), decays = std::move(decays)]() mutable {
    params.a = decays.data();
    kernels::linear_attention(input, w.state.spans(), params, states, y, w.pool);
  };
}

BoundInstruction bind_linear_recurrence(const Instruction& i, const Workspace& w) {
  const float* a = w.numbers(i.inputs[0]);
  const float* b = w.numbers(i.inputs[1]);
  float* y = w.value(i.output);
  const kernels::States states = w.states.of(std::get<graph::StateAttributes>(i.attributes).state);
  return [&w, a, b, y, states, channels = i.output_shape[0]] {
    kernels::linear_recurrence(a, b, w.state.spans(), channels, states, y, w.pool);
  };
}

}  // namespace cleave::runtime::cpu
