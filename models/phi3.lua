local function attention(m, x, c, i)
  local heads, kv_heads, d = c.num_attention_heads, c.num_key_value_heads, c.head_dim
  local q, k, v = split_qkv(m.qkv_proj(x, (heads + 2 * kv_heads) * d), heads, kv_heads, d)
  local turn = { recomputed = true }
  return m.o_proj(attend(rope(q, c, turn), rope(k, c, turn), v, { window = window(c, i) }), x:size())
end

return causal_lm {
  architectures = { "Phi3ForCausalLM", "Phi3VForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = function(h) return attention(l.self_attn, h, c, i) end,
      mlp = function(h)
        return fused_gated_mlp(l.mlp.gate_up_proj, l.mlp.down_proj, h, c.intermediate_size, activation(c.hidden_act))
      end,
    })
  end,
}
