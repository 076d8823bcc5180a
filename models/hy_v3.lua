local function sparse_mlp(m, x, c)
  local act, experts = activation(c.hidden_act), c.num_experts
  local options = {
    num_experts_per_tok = c.num_experts_per_tok, norm_topk_prob = true, routed_scaling_factor = c.router_scaling_factor,
  }
  local chosen, weights = sigmoid_routing(m.router.gate, x, experts, options, m.expert_bias)
  local routed = mixture_of_experts(m.experts, x, chosen, weights,
    { experts = experts, intermediate = c.moe_intermediate_size, act = act })
  return gated_mlp(m.shared_mlp, x, c.moe_intermediate_size * c.num_shared_experts, act) + routed
end

return causal_lm {
  architectures = { "HYV3ForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = { bias = c.attention_bias, output_bias = c.attention_bias, norm = rms_norms(c.rms_norm_eps) },
      mlp = is_sparse(c, i) and function(h) return sparse_mlp(l.mlp, h, c) end,
    })
  end,
}
