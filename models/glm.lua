-- GLM-4 of 2024 and of 2025 (glm4), which has norms behind each block, too. Half of each head is turned, in pairs.
local sandwich = {
  attention = "input_layernorm", attention_output = "post_self_attn_layernorm",
  mlp = "post_attention_layernorm", mlp_output = "post_mlp_layernorm",
}

return causal_lm {
  architectures = { "GlmForCausalLM", "Glm4ForCausalLM" },
  layer = function(l, x, c)
    return decoder_layer(l, x, c, {
      norms = c.model_type == "glm4" and sandwich or nil,
      attention = { bias = c.attention_bias, rope = { interleaved = true } },
      mlp = function(h)
        return fused_gated_mlp(l.mlp.gate_up_proj, l.mlp.down_proj, h, c.intermediate_size, activation(c.hidden_act))
      end,
    })
  end,
}
