return causal_lm {
  architectures = { "OlmoeForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      attention = { bias = c.attention_bias, clip = c.clip_qkv, whole_norm = rms_norms(c.rms_norm_eps) },
      mlp = function(h) return softmax_moe(l.mlp, h, c, c.intermediate_size) end,
    })
  end,
}
