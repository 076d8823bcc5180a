-- Proteins: norms before the blocks, and positions that turn queries and keys or are learned.
return text_encoder {
  architectures = { "EsmModel", "EsmForMaskedLM" },
  base = "esm",
  embed = function(m, c)
    if c.token_dropout then
      error("token_dropout: embeddings that depend on how many tokens are masked are not known", 0)
    end
    local e = m.embeddings
    local x = embedding(token_ids(), e.word_embeddings, c.vocab_size, c.hidden_size)
    if c.position_embedding_type == "absolute" then
      local first = c.pad_token_id + 1
      x = x + learned_positions(e.position_embeddings, c.max_position_embeddings - first, c.hidden_size, first)
    elseif c.position_embedding_type ~= "rotary" then
      error("position_embedding_type " .. tostring(c.position_embedding_type) .. ", wanted rotary or absolute", 0)
    end
    return c.emb_layer_norm_before and layer_norm(x, e.layer_norm, c.layer_norm_eps) or x
  end,
  layer = function(l, x, c)
    local a = l.attention
    local y = attend_to_all(a.self, layer_norm(x, a.LayerNorm, c.layer_norm_eps), c, {
      turn = c.position_embedding_type == "rotary" and turned(10000) or nil,
    })
    x = x + biased(a.output.dense, y, c.hidden_size)
    local h = gelu(biased(l.intermediate.dense, layer_norm(x, l.LayerNorm, c.layer_norm_eps), c.intermediate_size))
    return x + biased(l.output.dense, h, c.hidden_size)
  end,
  norm = function(m, x, c)
    return layer_norm(x, m.encoder.emb_layer_norm_after, c.layer_norm_eps)
  end,
}
