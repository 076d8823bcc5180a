-- EXAONE 4: norms behind each block.
local behind = { attention_output = "post_attention_layernorm", mlp_output = "post_feedforward_layernorm" }

return causal_lm {
  architectures = { "Exaone4ForCausalLM" },
  layer = function(l, x, c, i)
    return exaone_layer(l, x, c, i, { norms = behind })
  end,
}
