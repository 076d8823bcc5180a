local conv1d = { transposed = true, bias = true } -- GPT-2 stores its linears as [in, out]

local function attention(m, x, c, i)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v = m.c_attn(x, 3, heads, d, conv1d):split({ 1, 1, 1 }, 1)
  q, k, v = q:reshape(heads, d), k:reshape(heads, d), v:reshape(heads, d)
  local scale = c.scale_attn_weights == false and 1 or 1 / math.sqrt(d)
  if c.scale_attn_by_inverse_layer_idx then
    scale = scale / i
  end
  return m.c_proj(attend(q, k, v, { scale = scale }), x:size(), conv1d)
end

return causal_lm {
  architectures = { "GPT2LMHeadModel" },
  base = "transformer", embedding = "wte", layers = "h", tied = true,
  embed = function(m, x, c)
    return x + embedding(positions(), m.wpe, c.max_position_embeddings, c.hidden_size)
  end,
  layer = function(l, x, c, i)
    local width, act = c.n_inner or 4 * x:size(), activation(c.activation_function)
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.layer_norm_epsilon), norms = { attention = "ln_1", mlp = "ln_2" },
      attention = function(h) return attention(l.attn, h, c, i) end,
      mlp = function(h) return plain_mlp(l.mlp.c_fc, l.mlp.c_proj, h, width, act, conv1d) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.ln_f, c.layer_norm_epsilon)
  end,
}
