return causal_lm {
  architectures = {
    "DeepseekV3ForCausalLM", "KimiK25ForConditionalGeneration", "Glm4MoeLiteForCausalLM", "YoutuForCausalLM",
  },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = function(h) return latent_attention(l.self_attn, h, c) end,
      mlp = is_sparse(c, i) and function(h) return shared_and_routed(l.mlp, h, c) end,
    })
  end,
}
