-- Command R.
return cohere_lm {
  architectures = { "CohereForCausalLM" },
  attention = function()
    return { rope = { interleaved = true } }
  end,
}
