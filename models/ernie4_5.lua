return causal_lm {
  architectures = { "Ernie4_5ForCausalLM" },
  layer = function(l, x, c)
    local act = activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      attention = { bias = c.use_bias, output_bias = c.use_bias, rope = { interleaved = true } },
      mlp = function(h) return gated_mlp(l.mlp, h, c.intermediate_size, act, { bias = c.use_bias }) end,
    })
  end,
}
