-- Falcon Mamba has norms without weights inside the mixer.
local function inner_norm(c)
  return c.model_type == "falcon_mamba" and function(y)
    return graph.rms_norm(y, nil, nil, { eps = c.mixer_rms_eps })
  end
end

return causal_lm {
  architectures = { "MambaForCausalLM", "FalconMambaForCausalLM" },
  base = "backbone", embedding = "embeddings", tied = true,
  layer = function(l, x, c)
    return x + mamba_mixer(l.mixer, rms_norm(x, l.norm, c.layer_norm_epsilon), {
      inner = c.intermediate_size, state = c.state_size, low = c.time_step_rank,
      width = c.conv_kernel, act = activation(c.hidden_act), bias = c.use_bias, conv_bias = c.use_conv_bias,
      norm = inner_norm(c),
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm_f, c.layer_norm_epsilon)
  end,
}
