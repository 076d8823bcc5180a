return causal_lm {
  architectures = { "Qwen2MoeForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = { window = window(c, i), bias = c.qkv_bias },
      mlp = is_sparse(c, i) and function(h) return gated_shared_moe(l.mlp, h, c) end,
    })
  end,
}
