local bias = { bias = true }

local function sinusoids(c)
  local frequencies = {}
  for i = 1, c.hidden_size // 2 do
    frequencies[i] = 10000 ^ (-2 * (i - 1) / c.hidden_size)
  end
  return graph.sinusoid(positions(), { frequencies = frequencies })
end

local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.head_dim
  local y = attend(m.Wq(x, heads, d, bias), m.Wk(x, heads, d, bias), m.Wv(x, heads, d, bias))
  return m.dense(y, x:size(), bias)
end

return causal_lm {
  architectures = { "CTRLLMHeadModel" },
  base = "transformer", embedding = "w", layers = "h", tied = true,
  head_bias = function() return true end,
  embed = function(_, x, c)
    return x * math.sqrt(c.hidden_size) + sinusoids(c)
  end,
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      norm = layer_norms(1e-6), norms = { attention = "layernorm1", mlp = "layernorm2" },
      attention = function(h) return attention(l.multi_head_attention, h, c) end,
      mlp = function(h) return plain_mlp(l.ffn[0], l.ffn[2], h, c.dff, relu, bias) end,
    })
  end,
  norm = function(m, x)
    return layer_norm(x, m.layernorm, 1e-6)
  end,
}
