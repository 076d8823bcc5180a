local function attention(m, x, c)
  local heads, d, options = c.num_attention_heads, c.head_dim, c.attn_config
  local kv_heads = heads
  if options.attn_type ~= "multihead_attention" then
    kv_heads = options.kv_n_heads or 1
  end
  local y = m.Wqkv(x, (heads + 2 * kv_heads) * d, { bias = not c.no_bias })
  y = options.clip_qkv and clamp(y, -options.clip_qkv, options.clip_qkv) or y
  local q, k, v = split_qkv(y, heads, kv_heads, d)
  local slopes = alibi_slopes(heads)
  for i, slope in ipairs(slopes) do -- alibi_bias_max takes the place of 8 in the exponents
    slopes[i] = slope ^ ((options.alibi_bias_max) / 8)
  end
  local scale = options.softmax_scale
  y = attend(q, k, v, { scale = scale, alibi_slopes = options.alibi and slopes or nil })
  return m.out_proj(y, x:size(), { bias = not c.no_bias })
end

return causal_lm {
  architectures = { "MptForCausalLM", "MPTForCausalLM" },
  base = "transformer", embedding = "wte", layers = "blocks", tied = true,
  layer = function(l, x, c)
    local bias = { bias = not c.no_bias }
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.layer_norm_epsilon, bias), norms = { attention = "norm_1", mlp = "norm_2" },
      attention = function(h) return attention(l.attn, h, c) end,
      mlp = function(h) return plain_mlp(l.ffn.up_proj, l.ffn.down_proj, h, 4 * h:size(), gelu, bias) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.norm_f, c.layer_norm_epsilon, { bias = not c.no_bias })
  end,
}
