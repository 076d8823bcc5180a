return causal_lm {
  architectures = { "Qwen2ForCausalLM" },
  layer = function(l, x, c, i)
    local h = rms_norm(x, l.input_layernorm, c.rms_norm_eps)
    x = x + self_attention(l.self_attn, h, c, { window = window(c, i), bias = true })
    h = rms_norm(x, l.post_attention_layernorm, c.rms_norm_eps)
    return x + gated_mlp(l.mlp, h, c.intermediate_size, activation(c.hidden_act))
  end,
}
