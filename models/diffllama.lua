-- Differential attention (Ye et al., 2024): the second half of the heads is taken off the first, where a pair has two heads of values
-- side by side. How much is learned; the graph has no products of weights alone, so each token multiplies them anew.
local function share(m, x, d, initial)
  local function of(name)
    local q = x:slice(0, d, -1) * 0 + weight(m["lambda_q" .. name], d)
    return exp(graph.sum(q * weight(m["lambda_k" .. name], d)))
  end
  return of(1) - of(2) + initial
end

local function attention(m, x, c, i)
  local heads, kv_heads, d, bias = c.num_attention_heads, c.num_key_value_heads, c.head_dim, { bias = c.attention_bias }
  local q, k = rope(m.q_proj(x, heads, d, bias), c), rope(m.k_proj(x, kv_heads, d, bias), c)
  local pairs_of_values = concat({ m.v_proj(x, kv_heads, d, bias):split({ kv_heads // 2, kv_heads // 2 }, 1) })
  local y = attend(q, k, concat({ pairs_of_values, pairs_of_values }, 1)):reshape(heads, 2 * d)
  local first, second = y:split({ heads // 2, heads // 2 }, 1)
  local initial = 0.8 - 0.6 * math.exp(-0.3 * (i - 1))
  y = graph.rms_norm(first - second * share(m, x, d, initial):reshape(1, 1), nil, nil, { eps = c.rms_norm_eps }) * (1 - initial)
  return m.o_proj(y:reshape(heads * d), x:size(), bias)
end

return causal_lm {
  architectures = { "DiffLlamaForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, { attention = function(h) return attention(l.self_attn, h, c, i) end })
  end,
}
