-- Norms behind each block. Of the models with windows, the layers that see everything do not turn queries and keys.
return causal_lm {
  architectures = { "Exaone4ForCausalLM" },
  layer = function(l, x, c, i)
    local slides = layer_type(c, i) == "sliding_attention"
    return decoder_layer(l, x, c, {
      norms = { attention_output = "post_attention_layernorm", mlp_output = "post_feedforward_layernorm" },
      attention = {
        norm = rms_norms(c.rms_norm_eps), window = slides and c.sliding_window or nil,
        rope = (slides or not c.sliding_window) and {},
      },
    })
  end,
}
