-- XGLM: sines and cosines of positions, from 2 on.
local function sinusoids(c)
  local frequencies, half = {}, c.hidden_size // 2
  for i = 1, half do
    frequencies[i] = 10000 ^ (-(i - 1) / (half - 1))
  end
  return graph.sinusoid(positions(), { frequencies = frequencies, offset = 2 })
end

return fairseq_lm {
  architectures = { "XGLMForCausalLM" },
  base = "model", head = "lm_head",
  positions = function(_, c) return sinusoids(c) end,
}
