-- Norms have no weights.
local function norm(x)
  return graph.layer_norm(x, nil, nil, { eps = 1e-5 })
end

return causal_lm {
  architectures = { "OlmoForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, { norm = norm, attention = { clip = c.clip_qkv, bias = c.attention_bias } })
  end,
  norm = function(_, x)
    return norm(x)
  end,
}
