-- GLM-4 of 2025, with norms before and behind each block.
local sandwich = {
  attention = "input_layernorm", attention_output = "post_self_attn_layernorm",
  mlp = "post_attention_layernorm", mlp_output = "post_mlp_layernorm",
}

return causal_lm {
  architectures = { "Glm4ForCausalLM" },
  layer = function(l, x, c)
    return glm_layer(l, x, c, sandwich)
  end,
}
