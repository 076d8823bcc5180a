local function mixer(m, x, c)
  local act = activation(c.hidden_act)
  return mamba2_mixer(m, x, {
    heads = c.mamba_n_heads, head_dim = c.mamba_d_head, groups = c.mamba_n_groups, state = c.mamba_d_state,
    width = c.mamba_d_conv, act = act, bias = c.mamba_proj_bias, conv_bias = c.mamba_conv_bias, limit = c.time_step_limit,
    gated = function(y, gate) return gated_group_norm(m.norm, y, gate, act, 1, c.rms_norm_eps) end,
  })
end

local function attends(c, i)
  for _, layer in ipairs(c.attn_layer_indices or {}) do
    if layer == i - 1 then
      return true
    end
  end
  return layer_type(c, i) == "attention" or layer_type(c, i) == "full_attention"
end

return causal_lm {
  architectures = { "BambaForCausalLM" },
  layer = function(l, x, c, i)
    local act, attention = activation(c.hidden_act), { bias = c.attention_bias, output_bias = c.attention_bias }
    return decoder_layer(l, x, c, {
      norms = { attention = "input_layernorm", mlp = "pre_ff_layernorm" },
      attention = attends(c, i) and attention or function(h) return mixer(l.mamba, h, c) end,
      mlp = function(h) return gated_mlp(l.feed_forward, h, c.intermediate_size, act, { bias = c.mlp_bias }) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.final_layernorm, c.rms_norm_eps)
  end,
}
