local function norm(x, m, c)
  return rms_norm(x, m, c.rms_norm_eps, { offset = 1 })
end

-- Every other layer has a window, also where the configuration does not list them.
local function layer_window(c, i)
  return c.layer_types and window(c, i) or not c.layer_types and i % 2 == 1 and c.sliding_window or nil
end

return causal_lm {
  architectures = { "Gemma2ForCausalLM" },
  tied = true,
  embed = function(_, x, c)
    return x * math.sqrt(c.hidden_size)
  end,
  layer = function(l, x, c, i)
    local h = self_attention(l.self_attn, norm(x, l.input_layernorm, c), c, {
      window = layer_window(c, i), scale = c.query_pre_attn_scalar ^ -0.5, softcap = c.attn_logit_softcapping,
      bias = c.attention_bias, output_bias = c.attention_bias,
    })
    x = x + norm(h, l.post_attention_layernorm, c)
    h = norm(x, l.pre_feedforward_layernorm, c)
    h = gated_mlp(l.mlp, h, c.intermediate_size, activation(c.hidden_activation or "gelu_pytorch_tanh"))
    return x + norm(h, l.post_feedforward_layernorm, c)
  end,
  norm = function(m, x, c)
    return norm(x, m.norm, c)
  end,
  logits = function(y, c)
    return softcap(y, c.final_logit_softcapping)
  end,
}
