-- Command R7B (Cohere 2), which turns queries and keys only in layers with a window.
return cohere_lm {
  architectures = { "Cohere2ForCausalLM" },
  attention = function(c, i)
    return { rope = layer_type(c, i) == "sliding_attention" and { interleaved = true }, window = window(c, i) }
  end,
}
