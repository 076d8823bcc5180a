-- Llama with a norm in front of each block's last linear.
local function attention(m, x, c)
  local bias = { bias = c.attention_bias }
  local q = rope(m.q_proj(x, c.num_attention_heads, c.head_dim, bias), c)
  local k = rope(m.k_proj(x, c.num_key_value_heads, c.head_dim, bias), c)
  local y = attend(q, k, m.v_proj(x, c.num_key_value_heads, c.head_dim, bias))
  return m.o_proj(rms_norm(y, m.attn_sub_norm, c.rms_norm_eps), x:size(), bias)
end

local function mlp(m, x, c)
  local gate = activation(c.hidden_act)(m.gate_proj(x, c.intermediate_size))
  return m.down_proj(rms_norm(gate * m.up_proj(x, c.intermediate_size), m.ffn_sub_norm, c.rms_norm_eps), x:size())
end

return causal_lm {
  architectures = { "BitNetForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      attention = function(h) return attention(l.self_attn, h, c) end,
      mlp = function(h) return mlp(l.mlp, h, c) end,
    })
  end,
}
