-- Llama with queries and keys turned in pairs of neighbours.
return causal_lm {
  architectures = { "HeliumForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, { attention = { bias = c.attention_bias, rope = { interleaved = true } } })
  end,
}
