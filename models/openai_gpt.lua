local conv1d = { transposed = true, bias = true } -- linears are stored as [in, out]

local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v = split_qkv(m.c_attn(x, 3 * heads * d, conv1d), heads, heads, d)
  return m.c_proj(attend(q, k, v), x:size(), conv1d)
end

return causal_lm {
  architectures = { "OpenAIGPTLMHeadModel" },
  base = "transformer", embedding = "tokens_embed", layers = "h", tied = true,
  embed = function(m, x, c)
    return x + learned_positions(m.positions_embed, c.max_position_embeddings, c.hidden_size)
  end,
  -- Norms stand behind what is added.
  layer = function(l, x, c)
    local act = c.afn == "gelu" and gelu_tanh or activation(c.afn)
    x = layer_norm(x + attention(l.attn, x, c), l.ln_1, c.layer_norm_epsilon)
    local h = plain_mlp(l.mlp.c_fc, l.mlp.c_proj, x, 4 * x:size(), act, conv1d)
    return layer_norm(x + h, l.ln_2, c.layer_norm_epsilon)
  end,
  norm = function(_, x)
    return x
  end,
}
