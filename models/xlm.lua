-- XLM and FlauBERT, which can have its norms before the blocks.
return text_encoder {
  architectures = { "XLMModel", "XLMWithLMHeadModel", "FlaubertModel", "FlaubertWithLMHeadModel" },
  base = "transformer",
  embed = function(m, c)
    if c.causal then
      error("causal: only encoders that see all tokens are known", 0)
    end
    local x = embedding(token_ids(), m.embeddings, c.vocab_size, c.hidden_size)
    x = x + learned_positions(m.position_embeddings, c.max_position_embeddings, c.hidden_size)
    return layer_norm(x, m.layer_norm_emb, c.layer_norm_eps)
  end,
  layers = function(m)
    return m
  end,
  layer = function(m, x, c, i)
    local attention, ffn, act = m.attentions[i - 1], m.ffns[i - 1], c.gelu_activation and gelu or relu
    local function norm(of)
      return function(y) return layer_norm(y, of[i - 1], c.layer_norm_eps) end
    end
    x = residual(x, norm(m.layer_norm1), c.pre_norm, function(h)
      local a = attend_to_all(attention, h, c, { names = { "q_lin", "k_lin", "v_lin" } })
      return biased(attention.out_lin, a, c.hidden_size)
    end)
    return residual(x, norm(m.layer_norm2), c.pre_norm, function(h)
      return biased(ffn.lin2, act(biased(ffn.lin1, h, 4 * c.hidden_size)), c.hidden_size)
    end)
  end,
}
