-- Granite of layers with attention, which turn only where the configuration says so, and of layers with Mamba 2.
return granite_lm {
  architectures = { "GraniteMoeHybridForCausalLM" },
  attention = function(l, c, i)
    local kind = layer_type(c, i)
    if kind == "mamba" or kind == "linear_attention" then
      return function(h) return bamba_mixer(l.mamba, h, c) end
    end
    return granite_attention(c, { rope = c.position_embedding_type == "rope" and {} })
  end,
}
