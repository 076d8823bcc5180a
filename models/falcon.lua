-- Three generations: Falcon-RW (ALiBi, every head its own key), 7B (one key-value head, parallel blocks) and 40B / 180B / 11B
-- (several key-value heads, a norm for each parallel branch or one for both). All keep the fused projection grouped by key-value head.
local function kv_heads(c)
  if c.new_decoder_architecture then
    return c.num_kv_heads
  end
  return c.multi_query and 1 or c.num_attention_heads
end

-- Slopes, and their products with positions, are computed in bfloat16. The bias is scaled like the scores. It counts once, as in
-- training and in Transformers' SDPA path; the eager path adds it to the scores and again through the causal mask.
local function alibi_options(c, d)
  return { alibi_slopes = alibi_slopes(c.num_attention_heads), alibi_bfloat16 = true, alibi_scale = 1 / math.sqrt(d) }
end

local function attention(m, x, c)
  local heads, kv, bias = c.num_attention_heads, kv_heads(c), { bias = c.bias }
  local d = c.hidden_size // heads
  local q, k, v = split_grouped_qkv(m.query_key_value(x, kv, heads // kv + 2, d, bias))
  local y
  if c.alibi then
    y = attend(q, k, v, alibi_options(c, d))
  else
    y = attend(rope(q, c), rope(k, c), v)
  end
  return m.dense(y, x:size(), bias)
end

local function mlp(m, x, c)
  local h = m.dense_h_to_4h(x, c.ffn_hidden_size, { bias = c.bias })
  return m.dense_4h_to_h(activation(c.activation)(h), x:size(), { bias = c.bias })
end

local function norms(l, x, c)
  local eps = c.layer_norm_epsilon
  local branches = c.num_ln_in_parallel_attn or (c.new_decoder_architecture and 2 or 1)
  if c.new_decoder_architecture and branches == 2 then
    return layer_norm(x, l.ln_attn, eps), layer_norm(x, l.ln_mlp, eps)
  end
  local h = layer_norm(x, l.input_layernorm, eps)
  return h, h
end

return causal_lm {
  architectures = { "FalconForCausalLM", "RWForCausalLM" },
  base = "transformer", embedding = "word_embeddings", layers = "h", tied = true,
  layer = function(l, x, c)
    local for_attention, for_mlp = norms(l, x, c)
    local h = x + attention(l.self_attention, for_attention, c)
    if not (c.parallel_attn or c.new_decoder_architecture) then
      for_mlp = layer_norm(h, l.post_attention_layernorm, c.layer_norm_epsilon)
    end
    return h + mlp(l.mlp, for_mlp, c)
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.ln_f, c.layer_norm_epsilon)
  end,
}
