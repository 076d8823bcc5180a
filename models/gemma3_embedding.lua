-- Gemma 3 whose last states are wanted: its embedding models see later tokens, too.
return gemma_encoder {
  architectures = { "Gemma3TextModel" },
  norms = gemma_norms,
  attention = function(c, norm)
    return { norm = norm, bidirectional = c.use_bidirectional_attention }
  end,
}
