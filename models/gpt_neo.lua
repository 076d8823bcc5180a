-- "global" or "local" for layer i.
local function kind(c, i)
  if c.attention_layers then
    return c.attention_layers[i]
  end
  for _, run in ipairs(c.attention_types) do
    local kinds, times = run[1], run[2]
    if i <= #kinds * times then
      return kinds[(i - 1) % #kinds + 1]
    end
    i = i - #kinds * times
  end
end

-- Scores are not scaled.
local function attention(m, x, c, i)
  local heads, d = c.num_attention_heads, c.head_dim
  local q, k, v = m.q_proj(x, heads, d), m.k_proj(x, heads, d), m.v_proj(x, heads, d)
  local options = { scale = 1, window = kind(c, i) == "local" and c.window_size or nil }
  return m.out_proj(attend(q, k, v, options), x:size(), { bias = true })
end

return gpt_lm {
  architectures = { "GPTNeoForCausalLM" },
  attention = function(l, h, c, i)
    return attention(l.attn.attention, h, c, i)
  end,
}
