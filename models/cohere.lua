-- Command R and R7B (Cohere 2): attention and MLP side by side behind one norm. Cohere 2 turns queries and keys only in layers
-- with a window.
local function attention_options(l, c, i)
  local function head_norm(y, m)
    y = graph.layer_norm(y, nil, nil, { eps = c.layer_norm_eps })
    return y * weight(m.weight, y:size(1), y:size())
  end
  local turned = c.model_type ~= "cohere2" or layer_type(c, i) == "sliding_attention"
  return {
    bias = c.attention_bias, output_bias = c.attention_bias, norm = c.use_qk_norm and head_norm or nil,
    rope = turned and { interleaved = true }, window = c.model_type == "cohere2" and window(c, i) or nil,
  }
end

return causal_lm {
  architectures = { "CohereForCausalLM", "Cohere2ForCausalLM" },
  tied = true,
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      parallel = true, norm = layer_norms(c.layer_norm_eps, { bias = false }), norms = { attention = "input_layernorm" },
      attention = attention_options(l, c, i),
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.norm, c.layer_norm_eps, { bias = false })
  end,
  logits = function(y, c)
    return y * (c.logit_scale or 1)
  end,
}
