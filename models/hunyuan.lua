-- HunYuan's dense models and mixtures of experts.
local function sparse_mlp(m, x, c, i)
  local act, experts = activation(c.hidden_act), of_layer(c, "num_experts", i)
  local chosen, weights = softmax_routing(m.gate.wg(x, experts), of_layer(c, "moe_topk", i), true)
  local routed = mixture_of_experts(m.experts, x, chosen, weights,
    { experts = experts, intermediate = c.intermediate_size, act = act })
  return gated_mlp(m.shared_mlp, x, c.intermediate_size, act) + routed
end

return causal_lm {
  architectures = { "HunYuanDenseV1ForCausalLM", "HunYuanMoEV1ForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = {
        bias = c.attention_bias, output_bias = c.attention_bias,
        norm_after = rms_norms(c.rms_norm_eps), norms = { "query_layernorm", "key_layernorm" },
      },
      mlp = (of_layer(c, "num_experts", i) or 0) > 1 and function(h) return sparse_mlp(l.mlp, h, c, i) end,
    })
  end,
}
