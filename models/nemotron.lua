-- Nemotron, AFM (Arcee) and Jais 2: Llama with two linears of squared ReLU, and norms of three kinds. Nemotron's weights are
-- stored around zero.
local function norms(c)
  if c.norm_eps then
    return layer_norms(c.norm_eps, { offset = 1 })
  end
  return c.layer_norm_eps and layer_norms(c.layer_norm_eps) or rms_norms(c.rms_norm_eps)
end

return causal_lm {
  architectures = { "NemotronForCausalLM", "ArceeForCausalLM", "Jais2ForCausalLM" },
  layer = function(l, x, c)
    local act = activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      norm = norms(c), attention = { bias = c.attention_bias, output_bias = c.attention_bias },
      mlp = function(h)
        return plain_mlp(l.mlp.up_proj, l.mlp.down_proj, h, c.intermediate_size, act, { bias = c.mlp_bias })
      end,
    })
  end,
  norm = function(m, x, c)
    return norms(c)(x, m.norm)
  end,
}
