return causal_lm {
  architectures = { "Qwen2ForCausalLM", "MiMoForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, { attention = { window = window(c, i), bias = true } })
  end,
}
