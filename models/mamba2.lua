return causal_lm {
  architectures = { "Mamba2ForCausalLM" },
  base = "backbone", embedding = "embeddings",
  layer = function(l, x, c)
    local m, act = l.mixer, activation(c.hidden_act)
    return x + mamba2_mixer(m, rms_norm(x, l.norm, c.layer_norm_epsilon), {
      heads = c.num_heads, head_dim = c.head_dim, groups = c.n_groups, state = c.state_size, width = c.conv_kernel,
      act = act, bias = c.use_bias, conv_bias = c.use_conv_bias, limit = c.time_step_limit,
      gated = function(y, gate) return gated_group_norm(m.norm, y, gate, c.n_groups, c.layer_norm_epsilon) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm_f, c.layer_norm_epsilon)
  end,
}
