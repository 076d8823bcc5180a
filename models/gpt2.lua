local conv1d = { transposed = true, bias = true } -- GPT-2 stores its linears as [in, out]

local function attention(m, x, c, i)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v = m.c_attn(x, 3, heads, d, conv1d):split({ 1, 1, 1 }, 1)
  q, k, v = q:reshape(heads, d), k:reshape(heads, d), v:reshape(heads, d)
  local scale = c.scale_attn_weights and 1 / math.sqrt(d) or 1
  if c.scale_attn_by_inverse_layer_idx then
    scale = scale / i
  end
  return m.c_proj(attend(q, k, v, { scale = scale }), x:size(), conv1d)
end

return gpt_lm {
  architectures = { "GPT2LMHeadModel" },
  linear = conv1d,
  attention = function(l, h, c, i)
    return attention(l.attn, h, c, i)
  end,
}
