local function attention(m, x, c)
  local heads, d, bias = c.num_attention_heads, c.head_dim, { bias = c.enable_bias ~= false }
  local q, k, v = m.q_proj(x, heads, d, bias), m.k_proj(x, heads, d, bias), m.v_proj(x, heads, d, bias)
  return m.out_proj(attend(q, k, v), x:size(), bias)
end

local function mlp(l, x, c)
  local bias = { bias = c.enable_bias ~= false }
  return l.fc2(activation(c.activation_function)(l.fc1(x, c.ffn_dim, bias)), x:size(), bias)
end

-- x + f(norm(x)), or norm(x + f(x)) in the 350M model.
local function block(x, norm, c, f)
  if c.do_layer_norm_before == false then
    return layer_norm(x + f(x), norm, 1e-5)
  end
  return x + f(layer_norm(x, norm, 1e-5))
end

return causal_lm {
  architectures = { "OPTForCausalLM" },
  base = "model.decoder", tied = true,
  width = function(c)
    return c.word_embed_proj_dim or c.hidden_size
  end,
  embed = function(m, x, c)
    if x:size() ~= c.hidden_size then
      x = m.project_in(x, c.hidden_size)
    end
    -- Positions start at row 2.
    local rows = c.max_position_embeddings
    return x + graph.embedding(positions(), weight(m.embed_positions.weight, rows + 2, c.hidden_size):slice(2, rows + 2))
  end,
  layer = function(l, x, c)
    x = block(x, l.self_attn_layer_norm, c, function(h) return attention(l.self_attn, h, c) end)
    return block(x, l.final_layer_norm, c, function(h) return mlp(l, h, c) end)
  end,
  norm = function(m, x, c)
    if c.do_layer_norm_before ~= false and not c._remove_final_layer_norm then
      x = layer_norm(x, m.final_layer_norm, 1e-5)
    end
    local width = c.word_embed_proj_dim or c.hidden_size
    return width == c.hidden_size and x or m.project_out(x, width)
  end,
}
