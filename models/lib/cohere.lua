-- Cohere's frame: attention and MLP side by side behind one layer norm without a bias, and scaled logits.

local function head_norm(c)
  return c.use_qk_norm and function(y, m)
    y = graph.layer_norm(y, nil, nil, { eps = c.layer_norm_eps })
    return y * weight(m.weight, y:size(1), y:size())
  end or nil
end

-- Fields of `d`, beside those of causal_lm():
--   attention  function(c, i): options of self_attention() beside those that all have
function cohere_lm(d)
  local attention = d.attention
  d.attention = nil -- not causal_lm's
  d.tied = true

  function d.layer(l, x, c, i)
    local options = attention(c, i)
    options.bias, options.output_bias, options.norm = c.attention_bias, c.attention_bias, head_norm(c)
    return decoder_layer(l, x, c, {
      parallel = true, norm = layer_norms(c.layer_norm_eps, { bias = false }), norms = { attention = "input_layernorm" },
      attention = options,
    })
  end

  function d.norm(m, x, c)
    return layer_norm(x, m.norm, c.layer_norm_eps, { bias = false })
  end

  function d.logits(y, c)
    return y * c.logit_scale
  end

  return causal_lm(d)
end
