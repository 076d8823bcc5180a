local bias = { bias = true }

local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v = split_grouped_qkv(m.query_key_value(x, heads, 3, d, bias))
  return m.dense(attend(q, k, v, { alibi_slopes = alibi_slopes(heads) }), x:size(), bias)
end

return causal_lm {
  architectures = { "BloomForCausalLM" },
  base = "transformer", embedding = "word_embeddings", layers = "h", tied = true,
  embed = function(m, x, c)
    return layer_norm(x, m.word_embeddings_layernorm, c.layer_norm_epsilon)
  end,
  layer = function(l, x, c)
    local function block(y, norm, f)
      local h = layer_norm(y, norm, c.layer_norm_epsilon)
      return f(h) + (c.apply_residual_connection_post_layernorm and h or y)
    end
    x = block(x, l.input_layernorm, function(h) return attention(l.self_attention, h, c) end)
    return block(x, l.post_attention_layernorm, function(h)
      return plain_mlp(l.mlp.dense_h_to_4h, l.mlp.dense_4h_to_h, h, 4 * h:size(), gelu_tanh, bias)
    end)
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.ln_f, c.layer_norm_epsilon)
  end,
}
