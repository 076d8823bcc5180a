-- Granite, dense and with experts.
return granite_lm {
  architectures = { "GraniteForCausalLM", "GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM" },
  attention = function(_, c)
    return granite_attention(c, { rope = {} })
  end,
}
