#include "runtime/cpu/attention_arguments.h"

#include "base/float16.h"

namespace cleave::runtime::cpu {
namespace {

std::vector<float> slopes_of(const graph::AttentionAttributes& a) {
  std::vector<float> slopes(a.alibi_slopes.begin(), a.alibi_slopes.end());
  if (a.alibi_bfloat16)
    for (float& slope : slopes) slope = to_float(to_bfloat16(slope));
  return slopes;
}

}  // namespace

AttentionArguments::AttentionArguments(const lower::Instruction& i, const Workspace& w) {
  const auto& a = std::get<graph::AttentionAttributes>(i.attributes);
  plain_.q_heads = i.output_shape[0];
  plain_.group = i.as<lower::Attend>().group;
  plain_.first_head = i.as<lower::Attend>().first_head;
  plain_.scale = static_cast<float>(a.scale);
  plain_.window = a.window;
  plain_.chunk = a.chunk;
  plain_.softcap = static_cast<float>(a.softcap);
  plain_.alibi_bfloat16 = a.alibi_bfloat16;
  plain_.alibi_scale = static_cast<float>(a.alibi_scale);
  plain_.causal = a.causal;
  slopes_ = slopes_of(a);
  if (i.as<lower::Attend>().latent || i.inputs.size() <= 3) return;
  const float* extra = w.numbers(i.inputs[3]);
  if (!a.biases) {
    plain_.sinks = extra;
    return;
  }
  table_ = extra;
  rows_ = a.distance_rows;
  biases_.resize(static_cast<size_t>(plain_.q_heads) * rows_.size());
}

void AttentionArguments::read_biases() {
  if (table_ == nullptr) return;
  auto bias = biases_.begin();
  for (int64_t head = 0; head < plain_.q_heads; ++head)
    for (const int64_t row : rows_) *bias++ = table_[row * plain_.q_heads + head];
}

kernels::AttentionParams AttentionArguments::params() const {
  kernels::AttentionParams params = plain_;
  if (!slopes_.empty()) params.alibi_slopes = slopes_.data();
  if (!biases_.empty()) {
    params.distance_bias = biases_.data();
    params.bias_distance = static_cast<int64_t>(rows_.size()) / 2;
  }
  return params;
}

}  // namespace cleave::runtime::cpu
