return causal_lm {
  architectures = { "MambaForCausalLM" },
  base = "backbone", embedding = "embeddings", tied = true,
  layer = function(l, x, c)
    return x + mamba_mixer(l.mixer, rms_norm(x, l.norm, c.layer_norm_epsilon), {
      inner = c.intermediate_size or c.expand * c.hidden_size, state = c.state_size, low = c.time_step_rank,
      width = c.conv_kernel, act = activation(c.hidden_act), bias = c.use_bias, conv_bias = c.use_conv_bias,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm_f, c.layer_norm_epsilon)
  end,
}
