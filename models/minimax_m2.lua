local function sparse_mlp(m, x, c)
  local experts = c.num_local_experts
  local options = { num_experts_per_tok = c.num_experts_per_tok, norm_topk_prob = true }
  local chosen, weights = sigmoid_routing(m.gate, x, experts, options, m.e_score_correction_bias)
  return mixture_of_experts(m.experts, x, chosen, weights, {
    experts = experts, intermediate = c.intermediate_size, act = activation(c.hidden_act),
    gate = "w1", up = "w3", down = "w2",
  })
end

return causal_lm {
  architectures = { "MiniMaxM2ForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      attention = { whole_norm = c.use_qk_norm ~= false and rms_norms(c.rms_norm_eps) or nil, rope = { dims = c.rotary_dim } },
      mlp = function(h) return sparse_mlp(l.block_sparse_moe, h, c) end,
    })
  end,
}
