return causal_lm {
  architectures = { "MixtralForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = { window = window(c, i) },
      mlp = function(h) return mixtral_mlp(l.block_sparse_moe, h, c) end,
    })
  end,
}
