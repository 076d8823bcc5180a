-- GPT-2's frame and layer, which a few others share: learned positions, layer norms before each block, two linears.

-- Fields of `d`, beside those of causal_lm():
--   attention  function(l, h, c, i): the attention block's result
--   linear     options of the feed-forward linears ({ bias = true })
function gpt_lm(d)
  local attention, linear_options = d.attention, d.linear or { bias = true }
  d.attention, d.linear = nil, nil -- not causal_lm's
  d.base, d.embedding, d.layers, d.tied = "transformer", "wte", "h", true

  function d.embed(m, x, c)
    return x + learned_positions(m.wpe, c.max_position_embeddings, c.hidden_size)
  end

  function d.layer(l, x, c, i)
    local width, act = c.intermediate_size or 4 * x:size(), activation(c.activation_function)
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.layer_norm_epsilon), norms = { attention = "ln_1", mlp = "ln_2" },
      attention = function(h) return attention(l, h, c, i) end,
      mlp = function(h) return plain_mlp(l.mlp.c_fc, l.mlp.c_proj, h, width, act, linear_options) end,
    })
  end

  function d.norm(m, x, c)
    return layer_norm(x, m.ln_f, c.layer_norm_epsilon)
  end

  return causal_lm(d)
end
