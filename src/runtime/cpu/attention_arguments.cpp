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
  if (!i.as<lower::Attend>().latent && i.inputs.size() > 3) plain_.sinks = w.numbers(i.inputs[3]);
}

kernels::AttentionParams AttentionArguments::params() const {
  kernels::AttentionParams params = plain_;
  if (!slopes_.empty()) params.alibi_slopes = slopes_.data();
  return params;
}

}  // namespace cleave::runtime::cpu
