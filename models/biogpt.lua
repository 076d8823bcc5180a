-- BioGPT: learned positions, from 2 on.
return fairseq_lm {
  architectures = { "BioGptForCausalLM" },
  base = "biogpt", head = "output_projection",
  positions = function(m, c)
    return learned_positions(m.embed_positions, c.max_position_embeddings, c.hidden_size, 2)
  end,
}
