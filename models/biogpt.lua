-- BioGPT and XGLM, which differ in their positions: learned, or sines and cosines of them, in both cases from 2 on.
local function sinusoids(c)
  local frequencies, half = {}, c.hidden_size // 2
  for i = 1, half do
    frequencies[i] = 10000 ^ (-(i - 1) / (half - 1))
  end
  return graph.sinusoid(positions(), { frequencies = frequencies, offset = 2 })
end

return causal_lm {
  architectures = { "BioGptForCausalLM", "XGLMForCausalLM" },
  base = function(c) return c.model_type == "biogpt" and "biogpt" or "model" end,
  head = function(c) return c.model_type == "biogpt" and "output_projection" or "lm_head" end,
  tied = true,
  embed = function(m, x, c)
    x = c.scale_embedding and x * math.sqrt(c.hidden_size) or x
    if c.model_type == "biogpt" then
      return x + learned_positions(m.embed_positions, c.max_position_embeddings, c.hidden_size, 2)
    end
    return x + sinusoids(c)
  end,
  layer = function(l, x, c)
    local act = activation(c.hidden_act or c.activation_function)
    return decoder_layer(l, x, c, {
      norm = layer_norms(1e-5),
      norms = { attention = "self_attn_layer_norm", mlp = "final_layer_norm" },
      attention = { rope = false, output = "out_proj", bias = true, output_bias = true },
      mlp = function(h) return plain_mlp(l.fc1, l.fc2, h, c.intermediate_size, act, { bias = true }) end,
    })
  end,
  norm = function(m, x)
    return layer_norm(x, m.layer_norm, 1e-5)
  end,
}
