-- Attention and Mamba 2 side by side in every layer, with a multiplier for everything.
local function mixer(m, x, c)
  local act, eps, groups = activation(c.hidden_act), c.rms_norm_eps, c.mamba_n_groups
  local function gated(y, gate)
    if not c.mamba_rms_norm then
      return y * silu(gate)
    elseif not c.mamba_norm_before_gate then
      return gated_group_norm(m.norm, y, gate, groups, eps)
    end
    local width = y:size()
    y = graph.rms_norm(y:reshape(groups, width // groups), nil, nil, { eps = eps }):reshape(width)
    return y * weight(m.norm.weight, width) * silu(gate)
  end
  return mamba2_mixer(m, x, {
    heads = c.mamba_n_heads, head_dim = c.mamba_d_head, groups = groups, state = c.mamba_d_state,
    width = c.mamba_d_conv, act = act, bias = c.mamba_proj_bias, conv_bias = c.mamba_conv_bias, limit = c.time_step_limit,
    multipliers = c.ssm_multipliers, gated = gated,
  })
end

local function attention(l, x, c)
  local y = self_attention(l.self_attn, x * c.attention_in_multiplier, c, {
    bias = c.attention_bias, output_bias = c.attention_bias, key_scale = c.key_multiplier,
  })
  return mixer(l.mamba, x * c.ssm_in_multiplier, c) * c.ssm_out_multiplier + y * c.attention_out_multiplier
end

local function mlp(m, x, c)
  local gate_scale, down_scale, bias = c.mlp_multipliers[1], c.mlp_multipliers[2], { bias = c.mlp_bias }
  local gate = activation(c.hidden_act)(m.gate_proj(x, c.intermediate_size, bias) * gate_scale)
  return m.down_proj(m.up_proj(x, c.intermediate_size, bias) * gate, x:size(), bias) * down_scale
end

return causal_lm {
  architectures = { "FalconH1ForCausalLM" },
  embed = function(_, x, c)
    return x * c.embedding_multiplier
  end,
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      norms = { attention = "input_layernorm", mlp = "pre_ff_layernorm" },
      attention = function(h) return attention(l, h, c) end,
      mlp = function(h) return mlp(l.feed_forward, h, c) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.final_layernorm, c.rms_norm_eps)
  end,
  logits = function(y, c)
    return y * c.lm_head_multiplier
  end,
}
