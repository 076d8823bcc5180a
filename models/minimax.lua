-- Lightning attention: a state that decays by its head's slope, weaker in later layers.
local function lightning_attention(m, x, c)
  local heads, d = c.num_attention_heads, c.head_dim
  local act = activation(c.hidden_act)
  local q, k, v = act(m.qkv_proj(x, heads, 3 * d)):split({ d, d, d }, 2)
  local a = -weight(m.slope_rate, heads, 1, 1):reshape(heads, 1)
  local y = rms_norm(graph.linear_attention(q, k, v, a):reshape(heads * d), m.norm, 1e-6)
  return m.out_proj(y * sigmoid(m.output_gate(x, heads * d)), x:size())
end

-- norm(x) takes the place of x in the sum.
local function block(x, norm, c, alpha, beta, f)
  local h = rms_norm(x, norm, c.rms_norm_eps)
  return h * alpha + f(h) * beta
end

return causal_lm {
  architectures = { "MiniMaxForCausalLM" },
  layer = function(l, x, c, i)
    local linear, alpha, beta = layer_type(c, i) == "linear_attention", c.full_attn_alpha_factor, c.full_attn_beta_factor
    if linear then
      alpha, beta = c.linear_attn_alpha_factor, c.linear_attn_beta_factor
    end
    x = block(x, l.input_layernorm, c, alpha, beta, function(h)
      return linear and lightning_attention(l.self_attn, h, c) or self_attention(l.self_attn, h, c)
    end)
    return block(x, l.post_attention_layernorm, c, c.mlp_alpha_factor, c.mlp_beta_factor, function(h)
      return mixtral_mlp(l.block_sparse_moe, h, c)
    end)
  end,
}
