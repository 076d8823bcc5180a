-- Norms' weights are stored around zero.
return causal_lm {
  architectures = { "NemotronForCausalLM" },
  layer = function(l, x, c)
    local act = activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      norm = layer_norms(c.norm_eps, { offset = 1 }),
      attention = { bias = c.attention_bias, output_bias = c.attention_bias },
      mlp = function(h)
        return plain_mlp(l.mlp.up_proj, l.mlp.down_proj, h, c.intermediate_size, act, { bias = c.mlp_bias })
      end,
    })
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.norm, c.norm_eps, { offset = 1 })
  end,
}
