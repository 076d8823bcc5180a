return causal_lm {
  architectures = { "LlamaForCausalLM", "MistralForCausalLM" },
  layer = function(l, x, c, i)
    local options = { window = window(c, i), bias = c.attention_bias, output_bias = c.attention_bias }
    x = x + self_attention(l.self_attn, rms_norm(x, l.input_layernorm, c.rms_norm_eps), c, options)
    local h = rms_norm(x, l.post_attention_layernorm, c.rms_norm_eps)
    return x + gated_mlp(l.mlp, h, c.intermediate_size, activation(c.hidden_act))
  end,
}
