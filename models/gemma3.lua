-- Gemma 3: norms of queries and keys in place of the scores' cap, and rotary settings by the kind of layer.
return gemma_lm {
  architectures = { "Gemma3ForCausalLM", "Gemma3ForConditionalGeneration" },
  norms = gemma_norms,
  attention = function(_, norm)
    return { norm = norm }
  end,
}
