-- HyperCLOVA X: Llama with factors of embedding, residual, scores and logits, and optional norms behind each block.
local post_norms = {
  attention = "input_layernorm", attention_output = "post_norm1", mlp = "post_attention_layernorm", mlp_output = "post_norm2",
}

return causal_lm {
  architectures = { "HyperCLOVAXForCausalLM" },
  embed = function(_, x, c)
    return x * c.embedding_multiplier
  end,
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      scale = c.residual_multiplier, norms = c.use_post_norm and post_norms or nil,
      attention = { scale = c.attention_multiplier, bias = c.attention_bias, output_bias = c.attention_bias },
    })
  end,
  logits = function(y, c)
    return y * c.logits_scaling
  end,
}
