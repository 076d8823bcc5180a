-- Llama and those that only differ in sizes, windows and biases.
local function output_bias(c)
  if c.attention_out_bias ~= nil then -- Seed-OSS
    return c.attention_out_bias
  end
  return c.attention_bias
end

-- Ministral 3's queries grow with their position.
local function query(c)
  local p = c.rope_parameters
  return p.llama_4_scaling_beta and function(q)
    return scaled_by_position(q, p.llama_4_scaling_beta, p.original_max_position_embeddings)
  end
end

return causal_lm {
  architectures = {
    "LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM", "MinistralForCausalLM", "Ministral3ForCausalLM",
    "Mistral3ForConditionalGeneration", "YiForCausalLM", "AquilaForCausalLM", "AquilaModel", "XverseForCausalLM",
    "CwmForCausalLM", "SeedOssForCausalLM", "Emu3ForCausalLM",
  },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = { window = window(c, i), bias = c.attention_bias, output_bias = output_bias(c), query = query(c) },
    })
  end,
}
