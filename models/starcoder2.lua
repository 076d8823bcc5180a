return causal_lm {
  architectures = { "Starcoder2ForCausalLM" },
  layer = function(l, x, c, i)
    local act, bias = activation(c.hidden_act), { bias = c.use_bias }
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.norm_epsilon),
      attention = { window = window(c, i), bias = c.use_bias, output_bias = c.use_bias },
      mlp = function(h) return plain_mlp(l.mlp.c_fc, l.mlp.c_proj, h, c.intermediate_size, act, bias) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.norm, c.norm_epsilon)
  end,
}
