local function attention(m, x, c)
  local heads, kv_heads, bias = c.num_attention_heads, c.num_key_value_heads, { bias = c.bias }
  local q, k, v = split_grouped_qkv(m.wqkv(x, kv_heads, heads // kv_heads + 2, c.head_dim, bias))
  return m.wo(attend(rope(q, c), rope(k, c), v), x:size(), bias)
end

local function mlp(m, x, c)
  local gate = activation(c.hidden_act)(m.w1(x, c.intermediate_size))
  return m.w2(gate * m.w3(x, c.intermediate_size), x:size())
end

return causal_lm {
  architectures = { "InternLM2ForCausalLM" },
  embedding = "tok_embeddings", head = "output",
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      norms = { attention = "attention_norm", mlp = "ffn_norm" },
      attention = function(h) return attention(l.attention, h, c) end,
      mlp = function(h) return mlp(l.feed_forward, h, c) end,
    })
  end,
}
