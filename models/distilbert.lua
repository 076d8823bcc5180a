return text_encoder {
  architectures = { "DistilBertModel", "DistilBertForMaskedLM" },
  base = "distilbert",
  layers = "transformer.layer",
  embed = function(m, c)
    local e = m.embeddings
    local x = embedding(token_ids(), e.word_embeddings, c.vocab_size, c.hidden_size)
    x = x + learned_positions(e.position_embeddings, c.max_position_embeddings, c.hidden_size)
    return layer_norm(x, e.LayerNorm, 1e-12)
  end,
  layer = function(l, x, c)
    local a = attend_to_all(l.attention, x, c, { names = { "q_lin", "k_lin", "v_lin" } })
    x = layer_norm(x + biased(l.attention.out_lin, a, c.hidden_size), l.sa_layer_norm, 1e-12)
    local h = activation(c.activation)(biased(l.ffn.lin1, x, c.hidden_dim))
    return layer_norm(x + biased(l.ffn.lin2, h, c.hidden_size), l.output_layer_norm, 1e-12)
  end,
}
