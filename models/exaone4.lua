-- EXAONE 4, with norms behind each block, and its mixture of experts (K-EXAONE), with norms before. Of the models with windows,
-- the layers that see everything do not turn queries and keys.
local behind = { attention_output = "post_attention_layernorm", mlp_output = "post_feedforward_layernorm" }

return causal_lm {
  architectures = { "Exaone4ForCausalLM", "ExaoneMoeForCausalLM" },
  layer = function(l, x, c, i)
    local slides = layer_type(c, i) == "sliding_attention"
    return decoder_layer(l, x, c, {
      norms = c.model_type ~= "exaone_moe" and behind or nil,
      attention = {
        norm = rms_norms(c.rms_norm_eps), window = slides and c.sliding_window or nil,
        rope = (slides or not c.sliding_window) and {},
      },
      mlp = is_sparse(c, i) and function(h) return shared_and_routed(l.mlp, h, c) end,
    })
  end,
}
