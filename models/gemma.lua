return causal_lm {
  architectures = { "GemmaForCausalLM" },
  tied = true,
  embed = function(_, x, c)
    return x * math.sqrt(c.hidden_size)
  end,
  layer = function(l, x, c)
    -- Early checkpoints say hidden_act = "gelu" and mean its approximation by tanh.
    local named = c.hidden_activation or c.hidden_act
    local act = activation(named == "gelu" and "gelu_pytorch_tanh" or named)
    return decoder_layer(l, x, c, {
      norm = rms_norms(c.rms_norm_eps, { offset = 1 }),
      attention = { bias = c.attention_bias },
      mlp = function(h) return gated_mlp(l.mlp, h, c.intermediate_size, act) end,
    })
  end,
  norm = function(m, x, c)
    return rms_norm(x, m.norm, c.rms_norm_eps, { offset = 1 })
  end,
}
