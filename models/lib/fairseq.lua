-- The decoder of fairseq, which BioGPT and XGLM share: scaled embedding, positions, layer norms before each block, two linears.

-- Fields of `d`, beside those of causal_lm():
--   positions  function(m, c): what is added to the embedding; m is the base
function fairseq_lm(d)
  local of_positions = d.positions
  d.positions = nil -- not causal_lm's
  d.tied = true

  function d.embed(m, x, c)
    x = c.scale_embedding and x * math.sqrt(c.hidden_size) or x
    return x + of_positions(m, c)
  end

  function d.layer(l, x, c)
    local act = activation(c.hidden_act)
    return decoder_layer(l, x, c, {
      norm = layer_norms(1e-5),
      norms = { attention = "self_attn_layer_norm", mlp = "final_layer_norm" },
      attention = { rope = false, output = "out_proj", bias = true, output_bias = true },
      mlp = function(h) return plain_mlp(l.fc1, l.fc2, h, c.intermediate_size, act, { bias = true }) end,
    })
  end

  function d.norm(m, x)
    return layer_norm(x, m.layer_norm, 1e-5)
  end

  return causal_lm(d)
end
