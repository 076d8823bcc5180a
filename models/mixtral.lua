local function sparse_mlp(m, x, c)
  local scores = m.gate(x, c.num_local_experts)
  local chosen, weights = softmax_routing(scores, c.num_experts_per_tok, true)
  return mixture_of_experts(m.experts, x, chosen, weights, {
    experts = c.num_local_experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
    gate = "w1", up = "w3", down = "w2",
  })
end

return causal_lm {
  architectures = { "MixtralForCausalLM" },
  layer = function(l, x, c, i)
    local h = rms_norm(x, l.input_layernorm, c.rms_norm_eps)
    x = x + self_attention(l.self_attn, h, c, { window = window(c, i) })
    return x + sparse_mlp(l.block_sparse_moe, rms_norm(x, l.post_attention_layernorm, c.rms_norm_eps), c)
  end,
}
