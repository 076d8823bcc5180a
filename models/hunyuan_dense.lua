return causal_lm {
  architectures = { "HunYuanDenseV1ForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      attention = {
        bias = c.attention_bias, output_bias = c.attention_bias,
        norm_after = rms_norms(c.rms_norm_eps), norms = { "query_layernorm", "key_layernorm" },
      },
    })
  end,
}
