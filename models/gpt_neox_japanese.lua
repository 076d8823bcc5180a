-- GPT-NeoX without biases, but for one behind the last layer's attention.
local function attention(m, x, c, i)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v = split_grouped_qkv(m.query_key_value(x, heads, 3, d))
  local y = m.dense(attend(rope(q, c), rope(k, c), v), x:size())
  return i == c.num_hidden_layers and y + weight(m.dense_bias, x:size()) or y
end

return causal_lm {
  architectures = { "GPTNeoXJapaneseForCausalLM" },
  base = "gpt_neox_japanese", embedding = "embed_in", head = "embed_out",
  layer = function(l, x, c, i)
    local width, act = math.floor(c.hidden_size * c.intermediate_multiple_size), activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.layer_norm_eps),
      attention = function(h) return attention(l.attention, h, c, i) end,
      mlp = function(h) return plain_mlp(l.mlp.dense_h_to_4h, l.mlp.dense_4h_to_h, h, width, act) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.final_layer_norm, c.layer_norm_eps)
  end,
}
