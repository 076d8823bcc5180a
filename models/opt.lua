-- x + f(norm(x)), or norm(x + f(x)) in the 350M model.
local function block(x, norm, c, f)
  if not c.do_layer_norm_before then
    return layer_norm(x + f(x), norm, 1e-5)
  end
  return x + f(layer_norm(x, norm, 1e-5))
end

return causal_lm {
  architectures = { "OPTForCausalLM" },
  base = "model.decoder", tied = true,
  width = function(c)
    return c.word_embed_proj_dim
  end,
  embed = function(m, x, c)
    if x:size() ~= c.hidden_size then
      x = m.project_in(x, c.hidden_size)
    end
    return x + learned_positions(m.embed_positions, c.max_position_embeddings, c.hidden_size, 2)
  end,
  layer = function(l, x, c)
    local bias = c.enable_bias
    local options = { rope = false, output = "out_proj", bias = bias, output_bias = bias }
    x = block(x, l.self_attn_layer_norm, c, function(h) return self_attention(l.self_attn, h, c, options) end)
    return block(x, l.final_layer_norm, c, function(h)
      return plain_mlp(l.fc1, l.fc2, h, c.ffn_dim, activation(c.activation_function), { bias = bias })
    end)
  end,
  norm = function(m, x, c)
    if c.do_layer_norm_before and not c._remove_final_layer_norm then
      x = layer_norm(x, m.final_layer_norm, 1e-5)
    end
    local width = c.word_embed_proj_dim
    return width == c.hidden_size and x or m.project_out(x, width)
  end,
}
