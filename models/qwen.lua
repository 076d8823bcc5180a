-- Queries beyond the length of training are scaled by its logarithm.
local function scaled_query(q, c)
  if not c.use_logn_attn then
    return q
  end
  local factor = log(graph.to_real(positions()) + 1) / math.log(c.seq_length)
  return q * clamp(factor, 1, math.huge):reshape(1, 1)
end

local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v = split_qkv(m.c_attn(x, 3 * heads * d, { bias = true }), heads, heads, d)
  return m.c_proj(attend(scaled_query(rope(q, c), c), rope(k, c), v), x:size(), { bias = not c.no_bias })
end

-- intermediate_size counts gate and up together.
local function mlp(m, x, c)
  local width, bias = c.intermediate_size // 2, { bias = not c.no_bias }
  return m.c_proj(m.w1(x, width, bias) * silu(m.w2(x, width, bias)), x:size(), bias)
end

return causal_lm {
  architectures = { "QWenLMHeadModel" },
  base = "transformer", embedding = "wte", layers = "h",
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      norm = rms_norms(c.layer_norm_epsilon), norms = { attention = "ln_1", mlp = "ln_2" },
      attention = function(h) return attention(l.attn, h, c) end,
      mlp = function(h) return mlp(l.mlp, h, c) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.ln_f, c.layer_norm_epsilon)
  end,
}
