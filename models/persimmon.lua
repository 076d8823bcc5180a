local function attention(m, x, c)
  local heads, d, norm = c.num_attention_heads, c.head_dim, layer_norms(c.layer_norm_eps)
  local q, k, v = split_grouped_qkv(m.query_key_value(x, heads, 3, d, { bias = true }))
  if c.qk_layernorm then
    q, k = norm(q, m.q_layernorm), norm(k, m.k_layernorm)
  end
  return m.dense(attend(rope(q, c), rope(k, c), v), x:size(), { bias = true })
end

return causal_lm {
  architectures = { "PersimmonForCausalLM", "FuyuForCausalLM" },
  layer = function(l, x, c)
    local m, act = l.mlp, activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.layer_norm_eps),
      attention = function(h) return attention(l.self_attn, h, c) end,
      mlp = function(h) return plain_mlp(m.dense_h_to_4h, m.dense_4h_to_h, h, c.intermediate_size, act, { bias = true }) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.final_layernorm, c.layer_norm_eps)
  end,
}
