local function attention(m, x, c)
  local heads, d = c.num_attention_heads, c.head_dim
  local y = m.c_attn(x, (heads + (c.multi_query and 2 or 2 * heads)) * d, { bias = true })
  local q, k, v
  if c.multi_query then
    q, k, v = split_qkv(y, heads, 1, d)
  else -- each head's query, key and value side by side
    q, k, v = split_grouped_qkv(y:reshape(heads, 3, d))
  end
  local scale = not c.scale_attn_weights and 1 or nil
  return m.c_proj(attend(q, k, v, { scale = scale }), x:size(), { bias = true })
end

return gpt_lm {
  architectures = { "GPTBigCodeForCausalLM" },
  attention = function(l, h, c)
    return attention(l.attn, h, c)
  end,
}
