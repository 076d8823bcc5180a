-- A layer norm of each head with weights of its own.
local function head_norms(c)
  return function(y, m)
    local weights = graph.weight(path(m) .. ".norms.*.weight", { y:size() }, y:size(1))
    return graph.layer_norm(y, nil, nil, { eps = c.layer_norm_eps }) * weights
  end
end

return causal_lm {
  architectures = { "StableLmForCausalLM", "StableLMEpochForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      parallel = c.use_parallel_residual, norm = layer_norms(c.layer_norm_eps),
      norms = {
        attention = "input_layernorm", mlp = not c.use_parallel_residual and "post_attention_layernorm" or nil,
      },
      attention = {
        bias = c.use_qkv_bias, norm = c.qk_layernorm and head_norms(c) or nil, norms = { "q_layernorm", "k_layernorm" },
      },
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.norm, c.layer_norm_eps)
  end,
}
