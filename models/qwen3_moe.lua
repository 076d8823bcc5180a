return causal_lm {
  architectures = { "Qwen3MoeForCausalLM", "Qwen3VLMoeForConditionalGeneration", "MellumForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = {
        window = window(c, i), bias = c.attention_bias, norm = rms_norms(c.rms_norm_eps), rope = { layer_type = layer_type(c, i) },
      },
      mlp = is_sparse(c, i) and function(h) return softmax_moe(l.mlp, h, c, c.moe_intermediate_size, c.norm_topk_prob ~= false) end,
    })
  end,
}
