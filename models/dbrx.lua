local function attention(m, x, c)
  local heads, kv_heads, d = c.num_attention_heads, c.attn_config.kv_n_heads, c.head_dim
  local y, clip = m.Wqkv(x, (heads + 2 * kv_heads) * d), c.attn_config.clip_qkv
  local q, k, v = split_qkv(clip and clamp(y, -clip, clip) or y, heads, kv_heads, d)
  local rotary = { theta = c.attn_config.rope_theta }
  return m.out_proj(attend(rope(q, c, rotary), rope(k, c, rotary), v), x:size())
end

-- Experts lie behind one another, unless they are stored one by one: w1 (gate) and v1 (up) as [experts * width, hidden], w2 (down) too, to be transposed.
local function sparse_mlp(m, x, c)
  local f, hidden = c.ffn_config, x:size()
  local experts, width = f.moe_num_experts, f.ffn_hidden_size
  local chosen, weights = softmax_routing(m.router.layer(x, experts), f.moe_top_k)
  local p = f.moe_normalize_expert_weights
  if p then -- by the p-norm
    weights = weights / exp(log(graph.sum(exp(log(weights) * p))) / p)
  end
  local act = activation(f.ffn_act_fn and f.ffn_act_fn.name or "silu")
  if not has(m.experts.mlp.w1, true) then
    return mixture_of_experts(m.experts, x, chosen, weights,
      { experts = experts, intermediate = width, act = act, gate = "w1", up = "v1", down = "w2" })
  end
  local function all(name)
    return weight(m.experts.mlp[name], experts * width, hidden):reshape(experts, width, hidden)
  end
  return dispatched(x, chosen, weights, experts, function(rows)
    local h = act(graph.matmul(rows, all("w1"))) * graph.matmul(rows, all("v1"))
    return graph.matmul(h, all("w2"):transpose(0, 2, 1))
  end)
end

return causal_lm {
  architectures = { "DbrxForCausalLM" },
  base = "transformer", embedding = "wte", layers = "blocks", tied = false,
  layer = function(l, x, c)
    local m = l.norm_attn_norm
    x = x + attention(m.attn, layer_norm(x, m.norm_1, 1e-5, { bias = false }), c)
    return x + sparse_mlp(l.ffn, layer_norm(x, m.norm_2, 1e-5, { bias = false }), c)
  end,
  norm = function(m, x)
    return layer_norm(x, m.norm_f, 1e-5, { bias = false })
  end,
}
