return causal_lm {
  architectures = { "SmolLM3ForCausalLM" },
  layer = function(l, x, c, i)
    local turned = c.no_rope_layers[i] == 1
    return decoder_layer(l, x, c, {
      attention = {
        window = layer_type(c, i) == "sliding_attention" and c.sliding_window or nil,
        bias = c.attention_bias, output_bias = c.attention_bias, rope = turned and {},
      },
    })
  end,
}
