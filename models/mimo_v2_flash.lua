-- Layers with a window have twice the key-value heads and a sink for each head; values are narrower than keys, and scaled.
local function attention(m, x, c, i)
  local kind, heads, d = layer_type(c, i), c.num_attention_heads, c.head_dim
  local slides, bias, rotary = kind == "sliding_attention", { bias = c.attention_bias }, { layer_type = kind }
  local kv_heads = slides and 2 * c.num_key_value_heads or c.num_key_value_heads
  local q, k = m.q_proj(x, heads, d, bias), m.k_proj(x, kv_heads, d, bias)
  local v = m.v_proj(x, kv_heads, c.v_head_dim, bias) * (c.attention_value_scale or 1)
  local y = attend(rope(q, c, rotary), rope(k, c, rotary), v, {
    window = slides and c.sliding_window or nil, sinks = slides and weight(m.attention_sink_bias, heads) or nil,
  })
  return m.o_proj(y, x:size())
end

return causal_lm {
  architectures = { "MiMoV2FlashForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = function(h) return attention(l.self_attn, h, c, i) end,
      mlp = is_sparse(c, i) and function(h) return shared_and_routed(l.mlp, h, c) end,
    })
  end,
}
