-- "global" or "local" for layer i.
local function kind(c, i)
  if c.attention_layers then
    return c.attention_layers[i]
  end
  for _, run in ipairs(c.attention_types) do
    local kinds, times = run[1], run[2]
    if i <= #kinds * times then
      return kinds[(i - 1) % #kinds + 1]
    end
    i = i - #kinds * times
  end
end

-- Scores are not scaled.
local function attention(m, x, c, i)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v = m.q_proj(x, heads, d), m.k_proj(x, heads, d), m.v_proj(x, heads, d)
  local options = { scale = 1, window = kind(c, i) == "local" and c.window_size or nil }
  return m.out_proj(attend(q, k, v, options), x:size(), { bias = true })
end

return causal_lm {
  architectures = { "GPTNeoForCausalLM" },
  base = "transformer", embedding = "wte", layers = "h", tied = true,
  embed = function(m, x, c)
    return x + learned_positions(m.wpe, c.max_position_embeddings, c.hidden_size, 0)
  end,
  layer = function(l, x, c, i)
    local width, act = c.intermediate_size or 4 * x:size(), activation(c.activation_function)
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.layer_norm_epsilon), norms = { attention = "ln_1", mlp = "ln_2" },
      attention = function(h) return attention(l.attn.attention, h, c, i) end,
      mlp = function(h) return plain_mlp(l.mlp.c_fc, l.mlp.c_proj, h, width, act, { bias = true }) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.ln_f, c.layer_norm_epsilon)
  end,
}
