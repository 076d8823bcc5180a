local function sparse_mlp(m, x, c)
  local chosen, weights = softmax_routing(m.gate(x, c.num_experts), c.num_experts_per_tok, c.norm_topk_prob)
  return mixture_of_experts(m.experts, x, chosen, weights,
    { experts = c.num_experts, intermediate = c.intermediate_size, act = activation(c.hidden_act) })
end

return causal_lm {
  architectures = { "OlmoeForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      attention = { bias = c.attention_bias, clip = c.clip_qkv, whole_norm = rms_norms(c.rms_norm_eps) },
      mlp = function(h) return sparse_mlp(l.mlp, h, c) end,
    })
  end,
}
