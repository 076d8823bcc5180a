local function sparse_mlp(m, x, c)
  local chosen, weights = softmax_routing(m.gate(x, c.num_experts), c.num_experts_per_tok, c.norm_topk_prob)
  return mixture_of_experts(m.experts, x, chosen, weights,
    { experts = c.num_experts, intermediate = c.moe_intermediate_size, act = activation(c.hidden_act) })
end

return causal_lm {
  architectures = { "Qwen3MoeForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = { window = window(c, i), bias = c.attention_bias, norm = rms_norms(c.rms_norm_eps) },
      mlp = is_sparse(c, i) and function(h) return sparse_mlp(l.mlp, h, c) end,
    })
  end,
}
