return causal_lm {
  architectures = { "Glm4MoeForCausalLM", "Dots1ForCausalLM", "SolarOpenForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = {
        bias = c.attention_bias, norm = (c.use_qk_norm or c.model_type == "dots1") and rms_norms(c.rms_norm_eps) or nil,
        window = layer_type(c, i) == "sliding_attention" and c.sliding_window or nil,
      },
      mlp = is_sparse(c, i) and function(h) return shared_and_routed(l.mlp, h, c) end,
    })
  end,
}
