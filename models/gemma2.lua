-- Gemma 2: capped scores.
return gemma_lm {
  architectures = { "Gemma2ForCausalLM" },
  norms = gemma_norms,
  attention = function(c)
    return { softcap = c.attn_logit_softcapping }
  end,
}
