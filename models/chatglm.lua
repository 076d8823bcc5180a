local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.kv_channels
  local kv_heads = c.multi_query_attention and c.multi_query_group_num or heads
  local y = m.query_key_value(x, (heads + 2 * kv_heads) * d, { bias = c.add_qkv_bias or c.add_bias_linear })
  local q, k, v = split_qkv(y, heads, kv_heads, d)
  local rotary = { dims = d // 2, interleaved = true, theta = c.rope_parameters.rope_theta * (c.rope_ratio or 1) }
  return m.dense(attend(rope(q, c, rotary), rope(k, c, rotary), v), x:size(), { bias = c.add_bias_linear })
end

return causal_lm {
  architectures = { "ChatGLMModel", "ChatGLMForConditionalGeneration" },
  base = "transformer", embedding = "embedding.word_embeddings", layers = "encoder.layers", head = "transformer.output_layer",
  tied = false,
  layer = function(l, x, c)
    local m = l.mlp
    return decoder_layer(l, x, c, {
      norm = rms_norms(c.layernorm_epsilon),
      attention = function(h) return attention(l.self_attention, h, c) end,
      mlp = function(h)
        return fused_gated_mlp(m.dense_h_to_4h, m.dense_4h_to_h, h, c.ffn_hidden_size, silu, { bias = c.add_bias_linear })
      end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.encoder.final_layernorm, c.layernorm_epsilon)
  end,
}
