return causal_lm {
  architectures = { "InternLMForCausalLM", "PanguEmbeddedForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, { attention = { bias = c.bias, output_bias = c.bias } })
  end,
}
