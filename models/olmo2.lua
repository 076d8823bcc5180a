-- OLMo 2, 3 and FlexOlmo, a mixture of experts: norms only behind each block, and of all heads of queries and keys together. OLMo 3 has windows, in whose layers
-- rotary frequencies are not stretched.
local function rotary(c, i)
  if c.sliding_window and layer_type(c, i) == "sliding_attention" and not c.rope_parameters.sliding_attention then
    return { rope_type = "default" }
  end
  return { layer_type = layer_type(c, i) }
end

return causal_lm {
  architectures = { "Olmo2ForCausalLM", "Olmo3ForCausalLM", "FlexOlmoForCausalLM" },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      norms = { attention_output = "post_attention_layernorm", mlp_output = "post_feedforward_layernorm" },
      attention = {
        window = window(c, i), bias = c.attention_bias, output_bias = c.attention_bias,
        whole_norm = rms_norms(c.rms_norm_eps), rope = rotary(c, i),
      },
      mlp = is_sparse(c, i) and function(h) return softmax_moe(l.mlp, h, c, c.intermediate_size) end,
    })
  end,
}
