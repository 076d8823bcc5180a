-- GLM-4 of 2024.
return causal_lm {
  architectures = { "GlmForCausalLM" },
  layer = function(l, x, c)
    return glm_layer(l, x, c)
  end,
}
