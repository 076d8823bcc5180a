return causal_lm {
  architectures = { "PhiForCausalLM" },
  tied = false,
  head_bias = function() return true end,
  layer = function(l, x, c)
    local act, norm = activation(c.hidden_act), layer_norms(c.layer_norm_eps)
    local width = c.intermediate_size or 4 * x:size()
    return decoder_layer(l, x, c, {
      parallel = true, norm = norm, norms = { attention = "input_layernorm" },
      attention = {
        bias = true, output_bias = true, output = "dense", rope = { dims = c.rotary_dim },
        norm = c.qk_layernorm and norm or nil, norms = { "q_layernorm", "k_layernorm" },
      },
      mlp = function(h) return plain_mlp(l.mlp.fc1, l.mlp.fc2, h, width, act, { bias = true }) end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.final_layernorm, c.layer_norm_eps)
  end,
}
