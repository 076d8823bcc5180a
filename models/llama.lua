return causal_lm {
  architectures = {
    "LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM", "Ministral3ForCausalLM", "YiForCausalLM", "AquilaForCausalLM",
    "AquilaModel", "XverseForCausalLM", "Mistral3ForConditionalGeneration",
  },
  layer = function(l, x, c, i)
    return decoder_layer(l, x, c, {
      attention = { window = window(c, i), bias = c.attention_bias, output_bias = c.attention_bias },
    })
  end,
}
