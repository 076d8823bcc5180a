-- Gemma's frame from its second version on: a scaled embedding, norms with weights around zero, windows in most layers, capped
-- logits.

-- Norms before and behind each block.
gemma_norms = {
  attention = "input_layernorm", attention_output = "post_attention_layernorm",
  mlp = "pre_feedforward_layernorm", mlp_output = "post_feedforward_layernorm",
}

-- Fields of `d`, beside those of causal_lm():
--   norms      as decoder_layer() has them
--   attention  function(c, norm): options of self_attention() beside those that all have; norm is that of the layers
function gemma_lm(d)
  local norms, attention = d.norms, d.attention
  d.norms, d.attention = nil, nil -- not causal_lm's
  d.tied = true

  function d.embed(_, x, c)
    return x * math.sqrt(c.hidden_size)
  end

  function d.layer(l, x, c, i)
    local norm = rms_norms(c.rms_norm_eps, { offset = 1 })
    local act = activation(c.hidden_activation)
    local options = attention(c, norm)
    options.window, options.scale = window(c, i), c.query_pre_attn_scalar ^ -0.5
    options.bias, options.output_bias = c.attention_bias, c.attention_bias
    options.rope = { layer_type = layer_type(c, i) }
    return decoder_layer(l, x, c, {
      norm = norm, norms = norms, attention = options,
      mlp = function(h) return gated_mlp(l.mlp, h, c.intermediate_size, act) end,
    })
  end

  function d.norm(m, x, c)
    return rms_norm(x, m.norm, c.rms_norm_eps, { offset = 1 })
  end

  function d.logits(y, c)
    return softcap(y, c.final_logit_softcapping)
  end

  return causal_lm(d)
end
