local function attention(m, x, c)
  local heads, bias = c.num_attention_heads, { bias = c.attention_bias }
  local d = c.hidden_size // heads
  local q, k, v = m.query_key_value(x, heads, 3, d, bias):split({ 1, 1, 1 }, 2)
  q, k, v = q:reshape(heads, d), k:reshape(heads, d), v:reshape(heads, d)
  return m.dense(attend(rope(q, c), rope(k, c), v), x:size(), bias)
end

return causal_lm {
  architectures = { "GPTNeoXForCausalLM" },
  base = "gpt_neox", embedding = "embed_in", head = "embed_out",
  layer = function(l, x, c)
    local act = activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      parallel = c.use_parallel_residual, norm = layer_norms(c.layer_norm_eps),
      attention = function(h) return attention(l.attention, h, c) end,
      mlp = function(h)
        return plain_mlp(l.mlp.dense_h_to_4h, l.mlp.dense_4h_to_h, h, c.intermediate_size, act, { bias = true })
      end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.final_layer_norm, c.layer_norm_eps)
  end,
}
