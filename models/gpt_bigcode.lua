local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.head_dim
  local y = m.c_attn(x, (heads + (c.multi_query and 2 or 2 * heads)) * d, { bias = true })
  local q, k, v
  if c.multi_query then
    q, k, v = split_qkv(y, heads, 1, d)
  else -- each head's query, key and value side by side
    q, k, v = split_grouped_qkv(y:reshape(heads, 3, d))
  end
  local scale = c.scale_attn_weights == false and 1 or nil
  return m.c_proj(attend(q, k, v, { scale = scale }), x:size(), { bias = true })
end

return causal_lm {
  architectures = { "GPTBigCodeForCausalLM" },
  base = "transformer", embedding = "wte", layers = "h", tied = true,
  embed = function(m, x, c)
    return x + learned_positions(m.wpe, c.max_position_embeddings, c.hidden_size, 0)
  end,
  layer = function(l, x, c)
    local width, act = c.n_inner or 4 * x:size(), activation(c.activation_function)
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.layer_norm_epsilon), norms = { attention = "ln_1", mlp = "ln_2" },
      attention = function(h) return attention(l.attn, h, c) end,
      mlp = function(h) return plain_mlp(l.mlp.c_fc, l.mlp.c_proj, h, width, act, { bias = true }) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.ln_f, c.layer_norm_epsilon)
  end,
}
