-- K-EXAONE: norms before each block, a mixture of experts in most layers.
return causal_lm {
  architectures = { "ExaoneMoeForCausalLM" },
  layer = function(l, x, c, i)
    return exaone_layer(l, x, c, i, { mlp = is_sparse(c, i) and function(h) return shared_and_routed(l.mlp, h, c) end })
  end,
}
