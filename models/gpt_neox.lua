local function attention(m, x, c)
  local heads, bias = c.num_attention_heads, { bias = c.attention_bias ~= false }
  local d = c.hidden_size // heads
  local q, k, v = m.query_key_value(x, heads, 3, d, bias):split({ 1, 1, 1 }, 2)
  q, k, v = q:reshape(heads, d), k:reshape(heads, d), v:reshape(heads, d)
  return m.dense(attend(rope(q, c), rope(k, c), v), x:size(), bias)
end

local function mlp(m, x, c)
  local h = activation(c.hidden_act)(m.dense_h_to_4h(x, c.intermediate_size, { bias = true }))
  return m.dense_4h_to_h(h, x:size(), { bias = true })
end

return causal_lm {
  architectures = { "GPTNeoXForCausalLM" },
  base = "gpt_neox", embedding = "embed_in", head = "embed_out",
  layer = function(l, x, c)
    local h = x + attention(l.attention, layer_norm(x, l.input_layernorm, c.layer_norm_eps), c)
    local mlp_input = c.use_parallel_residual == false and h or x
    return h + mlp(l.mlp, layer_norm(mlp_input, l.post_attention_layernorm, c.layer_norm_eps), c)
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.final_layer_norm, c.layer_norm_eps)
  end,
}
