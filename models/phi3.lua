local function attention(m, x, c, i)
  local heads, kv_heads, d = c.num_attention_heads, c.num_key_value_heads, c.head_dim
  local q, k, v = m.qkv_proj(x, (heads + 2 * kv_heads) * d):split({ heads * d, kv_heads * d, kv_heads * d })
  q, k, v = q:reshape(heads, d), k:reshape(kv_heads, d), v:reshape(kv_heads, d)
  return m.o_proj(attend(rope(q, c), rope(k, c), v, { window = window(c, i) }), x:size())
end

local function mlp(m, x, c)
  local gate, up = m.gate_up_proj(x, 2 * c.intermediate_size):split({ c.intermediate_size, c.intermediate_size })
  return m.down_proj(activation(c.hidden_act)(gate) * up, x:size())
end

return causal_lm {
  architectures = { "Phi3ForCausalLM" },
  layer = function(l, x, c, i)
    x = x + attention(l.self_attn, rms_norm(x, l.input_layernorm, c.rms_norm_eps), c, i)
    return x + mlp(l.mlp, rms_norm(x, l.post_attention_layernorm, c.rms_norm_eps), c)
  end,
}
