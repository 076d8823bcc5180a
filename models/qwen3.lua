return causal_lm {
  architectures = { "Qwen3ForCausalLM", "Qwen3VLForConditionalGeneration" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = {
        window = window(c, i), bias = c.attention_bias, output_bias = c.attention_bias, norm = rms_norms(c.rms_norm_eps),
      },
    })
  end,
}
