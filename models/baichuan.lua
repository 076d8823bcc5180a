-- The 7B turns queries and keys; the 13B, which names no max_position_embeddings, has ALiBi.
local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v
  if has(m.W_pack.weight, true) then
    q, k, v = split_qkv(m.W_pack(x, 3 * heads * d), heads, heads, d)
  else
    q, k, v = m.q_proj(x, heads, d), m.k_proj(x, heads, d), m.v_proj(x, heads, d)
  end
  local y
  if c.max_position_embeddings then
    y = attend(rope(q, c), rope(k, c), v)
  else
    y = attend(q, k, v, { alibi_slopes = alibi_slopes(heads) })
  end
  return m.o_proj(y, x:size())
end

return causal_lm {
  architectures = { "BaichuanForCausalLM", "BaiChuanForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, { attention = function(h) return attention(l.self_attn, h, c) end })
  end,
}
