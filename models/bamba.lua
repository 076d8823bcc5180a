local function attends(c, i)
  local kind = layer_type(c, i)
  return in_layers(c.attn_layer_indices, i) or kind == "attention" or kind == "full_attention"
end

return causal_lm {
  architectures = { "BambaForCausalLM" },
  layer = function(l, x, c, i)
    local act, attention = activation(c.hidden_act), { bias = c.attention_bias, output_bias = c.attention_bias }
    return decoder_layer(l, x, c, {
      norms = { attention = "input_layernorm", mlp = "pre_ff_layernorm" },
      attention = attends(c, i) and attention or function(h) return bamba_mixer(l.mamba, h, c) end,
      mlp = function(h) return gated_mlp(l.feed_forward, h, c.intermediate_size, act, { bias = c.mlp_bias }) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.final_layernorm, c.rms_norm_eps)
  end,
}
