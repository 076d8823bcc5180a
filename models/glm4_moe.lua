return causal_lm {
  architectures = { "Glm4MoeForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = { bias = c.attention_bias, norm = c.use_qk_norm and rms_norms(c.rms_norm_eps) or nil },
      mlp = is_sparse(c, i) and function(h) return shared_and_routed(l.mlp, h, c) end,
    })
  end,
}
