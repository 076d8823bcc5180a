local function is_sparse(c, i)
  for _, dense in ipairs(c.mlp_only_layers or {}) do
    if dense == i - 1 then
      return false
    end
  end
  return c.num_experts > 0 and i % (c.decoder_sparse_step or 1) == 0
end

local function sparse_mlp(m, x, c)
  local act = activation(c.hidden_act)
  local chosen, weights = softmax_routing(m.gate(x, c.num_experts), c.num_experts_per_tok, c.norm_topk_prob)
  local routed = mixture_of_experts(m.experts, x, chosen, weights,
    { experts = c.num_experts, intermediate = c.moe_intermediate_size, act = act })
  local shared = gated_mlp(m.shared_expert, x, c.shared_expert_intermediate_size, act)
  return routed + shared * sigmoid(m.shared_expert_gate(x, 1))
end

return causal_lm {
  architectures = { "Qwen2MoeForCausalLM" },
  layer = function(l, x, c, i)
    local h = rms_norm(x, l.input_layernorm, c.rms_norm_eps)
    x = x + self_attention(l.self_attn, h, c, { window = window(c, i), bias = c.qkv_bias ~= false })
    h = rms_norm(x, l.post_attention_layernorm, c.rms_norm_eps)
    if is_sparse(c, i) then
      return x + sparse_mlp(l.mlp, h, c)
    end
    return x + gated_mlp(l.mlp, h, c.intermediate_size, activation(c.hidden_act))
  end,
}
