-- GLM-4's layer: half of each head is turned, in pairs. `norms` as decoder_layer() has them.
function glm_layer(l, x, c, norms)
  return decoder_layer(l, x, c, {
    norms = norms,
    attention = { bias = c.attention_bias, rope = { interleaved = true } },
    mlp = function(h)
      return fused_gated_mlp(l.mlp.gate_up_proj, l.mlp.down_proj, h, c.intermediate_size, activation(c.hidden_act))
    end,
  })
end
