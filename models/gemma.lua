local function norm(x, m, c)
  return rms_norm(x, m, c.rms_norm_eps, { offset = 1 })
end

return causal_lm {
  architectures = { "GemmaForCausalLM" },
  tied = true,
  embed = function(_, x, c)
    return x * math.sqrt(c.hidden_size)
  end,
  layer = function(l, x, c)
    x = x + self_attention(l.self_attn, norm(x, l.input_layernorm, c), c, { bias = c.attention_bias })
    -- Early checkpoints say hidden_act = "gelu" and mean its approximation by tanh.
    local act = activation(c.hidden_activation or "gelu_pytorch_tanh")
    return x + gated_mlp(l.mlp, norm(x, l.post_attention_layernorm, c), c.intermediate_size, act)
  end,
  norm = function(m, x, c)
    return norm(x, m.norm, c)
  end,
}
